package rest

import (
	"net/http"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

// Route is one operation of the API. The table of routes is the API: serving,
// documentation and tests read it.
type Route struct {
	Method  string
	Pattern string
	// Since and Until bound the microversions that serve it, both included; zero is open.
	Since, Until api.Version
	// Rule is judged before any work; empty: none. On says on whose object.
	Rule string
	On   Object
	// Args is the schema of the merged query and body; empty: anything is let through.
	Args schema.Operation
	// Query lists the only arguments that may come by the query; nil: all may.
	Query []string
	// Typed says that a body must be of type application/json.
	Typed bool
	// Status is the answer on success.
	Status int
	// Extension says that the original does not have it: it is served only where the
	// operator switched extensions on.
	Extension bool
	// Streams says that the answer is one of server-sent events.
	Streams bool

	handle func(*call) (any, error)
}

// Object says what a route's policy rule is judged on.
type Object string

// The objects of policy rules.
const (
	OnCaller    Object = "caller"    // the caller's own project and user
	OnContainer Object = "container" // the container named by the path, which is looked up first
	OnCapsule   Object = "capsule"   // the capsule named by the path; of the collection, the caller
	OnRegistry  Object = "registry"  // the registry named by the path
	OnProject   Object = "project"   // the project named by the path
)

func since(minor int) api.Version { return api.Version{Major: 1, Minor: minor} }

// Routes is the whole API, by resource.
func Routes() []Route {
	var all []Route
	for _, part := range [][]Route{containerRoutes(), verbRoutes(), insideRoutes(), fleetRoutes(), limitRoutes(), registryRoutes(), capsuleRoutes(), imageRoutes(), networkRoutes(), eventRoutes()} {
		all = append(all, part...)
	}
	return all
}

const (
	containersPath = "/v1/containers"
	containerPath  = "/v1/containers/{ident}"
	recordsPath    = "/v1/containers/{ident}/container_actions"
	hostsPath      = "/v1/hosts"
	admissionsPath = "/v1/admissions"
	registriesPath = "/v1/registries"
	capsulesPath   = "/v1/capsules"
	eventsPath     = "/v1/events"
	followSuffix   = "/logs/follow"
	networksPath   = "/v1/networks"
	imagesPath     = "/v1/images"
	quotaPath      = "/v1/quotas/{project}"
)

func containerRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: containersPath, Rule: "container:get_all", On: OnCaller, Status: 200, handle: listContainers},
		{Method: http.MethodPost, Pattern: containersPath, Rule: "container:create", On: OnCaller, Args: schema.CreateContainer,
			Query: []string{"run"}, Typed: true, Status: 202, handle: createContainer},
		{Method: http.MethodGet, Pattern: containerPath, Rule: "container:get_one", On: OnContainer, Status: 200, handle: showContainer},
		{Method: http.MethodPatch, Pattern: containerPath, Rule: "container:update", On: OnContainer, Args: schema.UpdateContainer, Status: 200, handle: updateContainer},
		{Method: http.MethodDelete, Pattern: containerPath, Rule: "container:delete", On: OnContainer, Args: schema.DeleteContainer, Status: 204, handle: deleteContainer},
		{Method: http.MethodGet, Pattern: recordsPath, Rule: "container:actions", On: OnContainer, Status: 200, handle: listActions},
		{Method: http.MethodGet, Pattern: recordsPath + "/{request}", Rule: "container:actions", On: OnContainer, Status: 200, handle: showAction},
	}
}

func verbRoutes() []Route {
	verb := func(v domain.Verb, args schema.Operation, read func(*call) (domain.ActionArgs, error)) Route {
		return Route{Method: http.MethodPost, Pattern: containerPath + "/" + string(v), Rule: "container:" + string(v), On: OnContainer,
			Args: args, Status: 202, handle: queueing(v, read)}
	}
	rewire := func(v domain.Verb, args schema.Operation, read func(*call) (domain.ActionArgs, error)) Route {
		r := verb(v, args, read)
		r.handle = rewiring(v, read)
		return r
	}
	between := func(r Route, low, high api.Version) Route {
		r.Since, r.Until = low, high
		return r
	}
	attach := between(rewire(domain.VerbNetworkAttach, schema.NetworkAttach, networkArgs), since(8), api.Version{})
	attach.Status = 200
	resize := between(verb(domain.VerbResizeContainer, schema.UpdateContainer, nil), since(19), api.Version{})
	resize.handle = resizeContainer
	return []Route{
		verb(domain.VerbStart, schema.NoArguments, noArgs),
		verb(domain.VerbStop, schema.Stop, timeoutArgs),
		verb(domain.VerbReboot, schema.Stop, timeoutArgs),
		verb(domain.VerbPause, schema.NoArguments, noArgs),
		verb(domain.VerbUnpause, schema.NoArguments, noArgs),
		verb(domain.VerbKill, schema.Kill, killArgs),
		verb(domain.VerbRebuild, schema.Rebuild, rebuildArgs),
		resize,
		between(rewire(domain.VerbAddGroup, schema.SecurityGroup, groupArgs), api.Version{}, since(14)),
		between(rewire(domain.VerbRemoveGroup, schema.SecurityGroup, groupArgs), api.Version{}, since(14)),
		between(rewire(domain.VerbNetworkDetach, schema.NetworkDetach, networkArgs), since(6), api.Version{}),
		attach,
		{Method: http.MethodGet, Pattern: containerPath + "/network_list", Since: since(13), On: OnContainer, Status: 200, handle: listNetworks},
		{Method: http.MethodPost, Pattern: containerPath + "/rename", Until: since(13), Rule: "container:rename", On: OnContainer,
			Args: schema.Rename, Status: 200, handle: renameContainer},
	}
}

func insideRoutes() []Route {
	inside := func(method string, v domain.Verb, args schema.Operation, handle func(*call) (any, error)) Route {
		return Route{Method: method, Pattern: containerPath + "/" + string(v), Rule: "container:" + string(v), On: OnContainer,
			Args: args, Status: 200, handle: handle}
	}
	commit := inside(http.MethodPost, domain.VerbCommit, schema.Commit, commitContainer)
	commit.Status = 202
	followed := inside(http.MethodGet, domain.VerbLogs, schema.FollowLogs, followLogs)
	followed.Pattern, followed.Rule, followed.Extension, followed.Streams = containerPath+followSuffix, "container:follow_logs", true, true
	return []Route{
		inside(http.MethodGet, domain.VerbLogs, schema.Logs, readLogs),
		followed,
		inside(http.MethodPost, domain.VerbExecute, schema.Execute, execute),
		inside(http.MethodPost, domain.VerbExecuteResize, schema.ExecuteResize, resizeExec),
		inside(http.MethodGet, domain.VerbAttach, schema.NoArguments, attach),
		inside(http.MethodPost, domain.VerbResize, schema.Resize, resizeTerminal),
		inside(http.MethodGet, domain.VerbTop, schema.Top, top),
		inside(http.MethodGet, domain.VerbStats, schema.NoArguments, stats),
		inside(http.MethodGet, domain.VerbGetArchive, schema.GetArchive, getArchive),
		inside(http.MethodPost, domain.VerbPutArchive, schema.PutArchive, putArchive),
		commit,
	}
}

func fleetRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: "/v1/services", Rule: "zun-service:get_all", On: OnCaller, Status: 200, handle: listServices},
		{Method: http.MethodDelete, Pattern: "/v1/services", Rule: "zun-service:delete", On: OnCaller, Args: schema.DeleteService, Status: 200, handle: deleteService},
		{Method: http.MethodPut, Pattern: "/v1/services/enable", Rule: "zun-service:enable", On: OnCaller, Args: schema.SwitchService, Status: 200, handle: enableService},
		{Method: http.MethodPut, Pattern: "/v1/services/disable", Rule: "zun-service:disable", On: OnCaller, Args: schema.SwitchService, Status: 200, handle: disableService},
		{Method: http.MethodPut, Pattern: "/v1/services/force_down", Rule: "zun-service:force_down", On: OnCaller, Args: schema.ForceDown, Status: 200, handle: forceDown},
		{Method: http.MethodGet, Pattern: hostsPath, Since: since(4), Rule: "host:get_all", On: OnCaller, Status: 200, handle: listHosts},
		{Method: http.MethodGet, Pattern: hostsPath + "/{ident}", Since: since(4), Rule: "host:get", On: OnCaller, Status: 200, handle: showHost},
		{Method: http.MethodGet, Pattern: admissionsPath, Rule: "admission:get_all", On: OnCaller, Status: 200, Extension: true, handle: listAdmissions},
		{Method: http.MethodDelete, Pattern: admissionsPath + "/{ident}", Rule: "admission:revoke", On: OnCaller, Status: 204, Extension: true, handle: revokeAdmission},
		{Method: http.MethodGet, Pattern: "/v1/availability_zones", Rule: "availability_zones:get_all", On: OnCaller, Status: 200, handle: listZones},
	}
}

func limitRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: quotaPath, Rule: "quota:get", On: OnProject, Status: 200, handle: showQuota},
		{Method: http.MethodGet, Pattern: quotaPath + "/defaults", Rule: "quota:get_default", On: OnCaller, Status: 200, handle: defaultQuota},
		{Method: http.MethodPut, Pattern: quotaPath, Rule: "quota:update", On: OnProject, Args: schema.UpdateQuota, Status: 200, handle: updateQuota},
		{Method: http.MethodDelete, Pattern: quotaPath, Rule: "quota:delete", On: OnProject, Status: 200, handle: deleteQuota},
		{Method: http.MethodGet, Pattern: "/v1/quota_classes/{name}", Rule: "quota_class:get", On: OnCaller, Status: 200, handle: showClass},
		{Method: http.MethodPut, Pattern: "/v1/quota_classes/{name}", Rule: "quota_class:update", On: OnCaller, Args: schema.UpdateQuota, Status: 200, handle: updateClass},
	}
}

func registryRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: registriesPath, Rule: "registry:get_all", On: OnCaller, Status: 200, handle: listRegistries},
		{Method: http.MethodPost, Pattern: registriesPath, Rule: "registry:create", On: OnCaller, Args: schema.CreateRegistry, Typed: true, Status: 201, handle: createRegistry},
		{Method: http.MethodGet, Pattern: registriesPath + "/{ident}", Rule: "registry:get_one", On: OnRegistry, Status: 200, handle: showRegistry},
		{Method: http.MethodPatch, Pattern: registriesPath + "/{ident}", Rule: "registry:update", On: OnRegistry, Args: schema.UpdateRegistry, Status: 200, handle: updateRegistry},
		{Method: http.MethodDelete, Pattern: registriesPath + "/{ident}", Rule: "registry:delete", On: OnRegistry, Status: 204, handle: deleteRegistry},
	}
}

// capsuleRoutes are served only where there are use cases behind them.
func capsuleRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: capsulesPath, Rule: "capsule:get_all", On: OnCapsule, Status: 200, handle: listCapsules},
		{Method: http.MethodPost, Pattern: capsulesPath, Rule: "capsule:create", On: OnCapsule, Args: schema.CreateCapsule, Typed: true, Status: 202, handle: createCapsule},
		{Method: http.MethodGet, Pattern: capsulesPath + "/{ident}", Rule: "capsule:get", On: OnCapsule, Status: 200, handle: showCapsule},
		{Method: http.MethodDelete, Pattern: capsulesPath + "/{ident}", Rule: "capsule:delete", On: OnCapsule, Status: 204, handle: deleteCapsule},
	}
}

func imageRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: imagesPath, Rule: "image:get_all:own", On: OnCaller, Status: 200, handle: listImages},
		{Method: http.MethodPost, Pattern: imagesPath, Rule: "image:pull", On: OnCaller, Args: schema.PullImage, Typed: true, Status: 202, handle: pullImage},
		{Method: http.MethodGet, Pattern: imagesPath + "/{ident}", Rule: "image:get_one:own", On: OnCaller, Status: 200, handle: showImage},
		{Method: http.MethodDelete, Pattern: imagesPath + "/{ident}", Rule: "image:delete:own", On: OnCaller, Status: 200, handle: deleteImage},
		{Method: http.MethodGet, Pattern: imagesPath + "/{ident}/search", Rule: "image:search", On: OnCaller, Args: schema.SearchImages, Status: 200, handle: searchImages},
	}
}

func networkRoutes() []Route {
	return []Route{
		{Method: http.MethodPost, Pattern: networksPath, Rule: "network:create", On: OnCaller, Args: schema.CreateNetwork, Status: 200, handle: createNetwork},
		{Method: http.MethodGet, Pattern: networksPath, Rule: "network:get_all", On: OnCaller, Status: 200, Extension: true, handle: listNetworkBook},
		{Method: http.MethodGet, Pattern: networksPath + "/{ident}", Rule: "network:get_one", On: OnCaller, Status: 200, Extension: true, handle: showNetwork},
		{Method: http.MethodDelete, Pattern: networksPath + "/{ident}", Since: since(27), Rule: "network:delete", On: OnCaller, Status: 204, handle: deleteNetwork},
	}
}

func eventRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Pattern: eventsPath, Rule: "event:get_all", On: OnCaller, Args: schema.FollowEvents, Status: 200, Extension: true, Streams: true, handle: followEvents},
	}
}
