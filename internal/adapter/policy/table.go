package policy

// Rule is one row of the table of defaults.
type Rule struct {
	Name       string
	Default    string
	Operations []string // the calls that ask for it; none for a base rule
	Help       string
}

// The defaults that rows share.
const (
	admin     = "rule:admin_api"
	nobody    = "rule:deny_everybody"
	roleAdmin = "role:admin"
	readers   = "rule:admin_or_owner"  // whoever is in the project, readers too
	writers   = "rule:admin_or_writer" // whoever is in the project, but not as a mere reader
)

// Rules returns the table in the order in which it is printed.
func Rules() []Rule {
	var all []Rule
	for _, rows := range [][]Rule{baseRules(), containerRules(), insideRules(), capsuleRules(), operatorRules(), projectRules()} {
		all = append(all, rows...)
	}
	return all
}

// defaults returns the table as sources.
func defaults() []source {
	rules := Rules()
	sources := make([]source, len(rules))
	for i, rule := range rules {
		sources[i] = source{name: rule.Name, rule: rule.Default}
	}
	return sources
}

// baseRules are those that others refer to. The last two are ours: the original knows no
// reader. An actor without the role reader may write as before, whatever its roles are
// called; overriding admin_or_owner still changes every rule built on it.
func baseRules() []Rule {
	return []Rule{
		{Name: contextIsAdmin, Default: "role:admin", Help: "Who counts as administrator (is_admin:True)"},
		{Name: "admin_or_owner", Default: "is_admin:True or project_id:%(project_id)s", Help: "Administrators, and everybody in the project of the object"},
		{Name: "admin_api", Default: "rule:context_is_admin", Help: "Administrators"},
		{Name: "deny_everybody", Default: "!", Help: "Nobody"},
		{Name: "reader_only", Default: "role:reader and not (role:member or role:manager or role:admin)", Help: "Holds reader and no role that may write"},
		{Name: "admin_or_writer", Default: "is_admin:True or (rule:admin_or_owner and not rule:reader_only)", Help: "As admin_or_owner, without mere readers"},
	}
}

// containerRules are about containers themselves.
func containerRules() []Rule {
	return []Rule{
		{Name: "container:create", Default: writers, Help: "Create a container",
			Operations: []string{"POST /v1/containers"}},
		{Name: "container:create:runtime", Default: admin, Help: "Name a runtime at create",
			Operations: []string{"POST /v1/containers"}},
		{Name: "container:create:privileged", Default: nobody, Help: "Ask for privileged, in either way, at create",
			Operations: []string{"POST /v1/containers"}},
		{Name: "container:create:requested_destination", Default: admin, Help: "Name the host at create",
			Operations: []string{"POST /v1/containers"}},
		{Name: "container:create:image_pull_policy", Default: admin, Help: "Name an image pull policy at create",
			Operations: []string{"POST /v1/containers"}},
		{Name: "container:delete", Default: writers, Help: "Delete a container",
			Operations: []string{"DELETE /v1/containers/{container_ident}"}},
		{Name: "container:delete_all_projects", Default: admin, Help: "Delete a container of another project",
			Operations: []string{"DELETE /v1/containers/{container_ident}"}},
		{Name: "container:delete_force", Default: admin, Help: "Delete a container by force",
			Operations: []string{"DELETE /v1/containers/{container_ident}"}},
		{Name: "container:get_one", Default: readers, Help: "Show a container",
			Operations: []string{"GET /v1/containers/{container_ident}"}},
		{Name: "container:get_one:host", Default: admin, Help: "See, and filter by, the host",
			Operations: []string{"GET /v1/containers/{container_ident}", "GET /v1/containers", "POST /v1/containers", "PATCH /v1/containers/{container_ident}"}},
		{Name: "container:get_one:image_pull_policy", Default: admin, Help: "See, and filter by, the image pull policy",
			Operations: []string{"GET /v1/containers/{container_ident}", "GET /v1/containers", "POST /v1/containers", "PATCH /v1/containers/{container_ident}"}},
		{Name: "container:get_one:privileged", Default: admin, Help: "See, and filter by, privileged",
			Operations: []string{"GET /v1/containers/{container_ident}", "GET /v1/containers", "POST /v1/containers", "PATCH /v1/containers/{container_ident}"}},
		{Name: "container:get_one:runtime", Default: admin, Help: "See, and filter by, the runtime",
			Operations: []string{"GET /v1/containers/{container_ident}", "GET /v1/containers", "POST /v1/containers", "PATCH /v1/containers/{container_ident}"}},
		{Name: "container:get_one_all_projects", Default: admin, Help: "Act on a container of another project",
			Operations: []string{"GET /v1/containers/{container_ident}"}},
		{Name: "container:get_all", Default: readers, Help: "List containers",
			Operations: []string{"GET /v1/containers"}},
		{Name: "container:get_all_all_projects", Default: admin, Help: "List the containers of all projects",
			Operations: []string{"GET /v1/containers"}},
		{Name: "container:update", Default: writers, Help: "Change a container",
			Operations: []string{"PATCH /v1/containers/{container_ident}"}},
		{Name: "container:start", Default: writers, Help: "Start a container",
			Operations: []string{"POST /v1/containers/{container_ident}/start"}},
		{Name: "container:stop", Default: writers, Help: "Stop a container",
			Operations: []string{"POST /v1/containers/{container_ident}/stop"}},
		{Name: "container:reboot", Default: writers, Help: "Reboot a container",
			Operations: []string{"POST /v1/containers/{container_ident}/reboot"}},
		{Name: "container:pause", Default: writers, Help: "Pause a container",
			Operations: []string{"POST /v1/containers/{container_ident}/pause"}},
		{Name: "container:unpause", Default: writers, Help: "Unpause a container",
			Operations: []string{"POST /v1/containers/{container_ident}/unpause"}},
		{Name: "container:kill", Default: writers, Help: "Send a signal",
			Operations: []string{"POST /v1/containers/{container_ident}/kill"}},
		{Name: "container:rename", Default: writers, Help: "Rename a container",
			Operations: []string{"POST /v1/containers/{container_ident}/rename"}},
		{Name: "container:add_security_group", Default: writers, Help: "Add a security group",
			Operations: []string{"POST /v1/containers/{container_ident}/add_security_group"}},
		{Name: "container:network_detach", Default: writers, Help: "Detach a network",
			Operations: []string{"POST /v1/containers/{container_ident}/network_detach"}},
		{Name: "container:network_attach", Default: writers, Help: "Attach a network",
			Operations: []string{"POST /v1/containers/{container_ident}/network_attach"}},
		{Name: "container:remove_security_group", Default: writers, Help: "Remove a security group",
			Operations: []string{"POST /v1/containers/{container_ident}/remove_security_group"}},
		{Name: "container:rebuild", Default: writers, Help: "Rebuild a container",
			Operations: []string{"POST /v1/containers/{container_ident}/rebuild"}},
		{Name: "container:resize_container", Default: writers, Help: "Change cpu and memory",
			Operations: []string{"POST /v1/containers/{container_ident}/resize_container"}},
	}
}

// insideRules are about what is inside a container and its records.
func insideRules() []Rule {
	return []Rule{
		{Name: "container:logs", Default: readers, Help: "Read logs",
			Operations: []string{"GET /v1/containers/{container_ident}/logs"}},
		{Name: "container:follow_logs", Default: "rule:container:logs", Help: "Follow logs (extension)",
			Operations: []string{"GET /v1/containers/{container_ident}/logs/follow"}},
		{Name: "container:execute", Default: writers, Help: "Execute a command",
			Operations: []string{"POST /v1/containers/{container_ident}/execute"}},
		{Name: "container:execute_resize", Default: writers, Help: "Resize the terminal of a command",
			Operations: []string{"POST /v1/containers/{container_ident}/execute_resize"}},
		{Name: "container:attach", Default: writers, Help: "Attach to the main process",
			Operations: []string{"GET /v1/containers/{container_ident}/attach"}},
		{Name: "container:resize", Default: writers, Help: "Resize the terminal",
			Operations: []string{"POST /v1/containers/{container_ident}/resize"}},
		{Name: "container:top", Default: readers, Help: "List processes",
			Operations: []string{"GET /v1/containers/{container_ident}/top"}},
		{Name: "container:get_archive", Default: writers, Help: "Copy files out; a reader may not, since files hold secrets",
			Operations: []string{"GET /v1/containers/{container_ident}/get_archive"}},
		{Name: "container:put_archive", Default: writers, Help: "Copy files in",
			Operations: []string{"POST /v1/containers/{container_ident}/put_archive"}},
		{Name: "container:stats", Default: readers, Help: "Read resource figures",
			Operations: []string{"GET /v1/containers/{container_ident}/stats"}},
		{Name: "container:commit", Default: writers, Help: "Make an image of a container",
			Operations: []string{"POST /v1/containers/{container_ident}/commit"}},
		{Name: "container:actions", Default: readers, Help: "List and show actions",
			Operations: []string{"GET /v1/containers/{container_ident}/container_actions/", "GET /v1/containers/{container_ident}/container_actions/{request_id}"}},
		{Name: "container:action:events", Default: admin, Help: "See the events of an action",
			Operations: []string{"GET /v1/containers/{container_ident}/container_actions/{request_id}"}},
	}
}

// capsuleRules are about capsules.
func capsuleRules() []Rule {
	return []Rule{
		{Name: "capsule:create", Default: writers, Help: "Create a capsule",
			Operations: []string{"POST /v1/capsules/"}},
		{Name: "capsule:delete", Default: writers, Help: "Delete a capsule",
			Operations: []string{"DELETE /v1/capsules/{capsule_ident}"}},
		{Name: "capsule:delete_all_projects", Default: admin, Help: "Delete a capsule of another project",
			Operations: []string{"DELETE /v1/capsules/{capsule_ident}"}},
		{Name: "capsule:get", Default: readers, Help: "Show a capsule",
			Operations: []string{"GET /v1/capsules/{capsule_ident}"}},
		{Name: "capsule:get:host", Default: admin, Help: "See the host of a capsule",
			Operations: []string{"GET /v1/capsules/{capsule_ident}", "GET /v1/capsules", "POST /v1/capsules"}},
		{Name: "capsule:get_one_all_projects", Default: admin, Help: "Show a capsule of another project",
			Operations: []string{"GET /v1/capsules/{capsule_ident}"}},
		{Name: "capsule:get_all", Default: readers, Help: "List capsules",
			Operations: []string{"GET /v1/capsules/"}},
		{Name: "capsule:get_all_all_projects", Default: admin, Help: "List the capsules of all projects",
			Operations: []string{"GET /v1/capsules/"}},
	}
}

// operatorRules are about what operators look after.
func operatorRules() []Rule {
	return []Rule{
		{Name: "image:pull", Default: admin, Help: "Pull an image to a host",
			Operations: []string{"POST /v1/images"}},
		{Name: "image:get_all", Default: admin, Help: "List images of hosts",
			Operations: []string{"GET /v1/images"}},
		{Name: "image:get_one", Default: admin, Help: "Show an image of a host",
			Operations: []string{"GET /v1/images/{image_id}"}},
		{Name: "image:get_all:own", Default: readers, Help: "List the images that the project committed (extension)",
			Operations: []string{"GET /v1/images"}},
		{Name: "image:get_one:own", Default: readers, Help: "Show an image that the project committed (extension)",
			Operations: []string{"GET /v1/images/{image_id}"}},
		{Name: "image:delete:own", Default: writers, Help: "Delete an image that the project committed (extension)",
			Operations: []string{"DELETE /v1/images/{image_ident}"}},
		{Name: "image:search", Default: readers, Help: "Search images",
			Operations: []string{"GET /v1/images/{image_ident}/search"}},
		{Name: "image:delete", Default: admin, Help: "Delete an image of a host",
			Operations: []string{"DELETE /v1/images/{image_ident}"}},
		{Name: "zun-service:delete", Default: admin, Help: "Delete a service record",
			Operations: []string{"DELETE /v1/services"}},
		{Name: "zun-service:disable", Default: admin, Help: "Disable a service",
			Operations: []string{"PUT /v1/services/disable"}},
		{Name: "zun-service:enable", Default: admin, Help: "Enable a service",
			Operations: []string{"PUT /v1/services/enable"}},
		{Name: "zun-service:force_down", Default: admin, Help: "Mark a service as down",
			Operations: []string{"PUT /v1/services/force_down"}},
		{Name: "zun-service:get_all", Default: admin, Help: "List services",
			Operations: []string{"GET /v1/services"}},
		{Name: "host:get_all", Default: admin, Help: "List hosts",
			Operations: []string{"GET /v1/hosts"}},
		{Name: "admission:get_all", Default: admin, Help: "List whose certificates are taken between the service's processes (extension)",
			Operations: []string{"GET /v1/admissions"}},
		{Name: "admission:revoke", Default: admin, Help: "Revoke the certificates of a host or a console door (extension)",
			Operations: []string{"DELETE /v1/admissions/{ident}"}},
		{Name: "host:get", Default: admin, Help: "Show a host",
			Operations: []string{"GET /v1/hosts/{host_ident}"}},
	}
}

// projectRules are about what a project has beside containers.
func projectRules() []Rule {
	return []Rule{
		{Name: "network:attach_external_network", Default: roleAdmin, Help: "Attach an external network",
			Operations: []string{"POST /v1/containers"}},
		{Name: "network:create", Default: roleAdmin, Help: "Create a network",
			Operations: []string{"POST /v1/networks"}},
		{Name: "network:delete", Default: roleAdmin, Help: "Delete a network",
			Operations: []string{"DELETE /v1/networks"}},
		{Name: "network:get_all", Default: readers, Help: "List networks (extension)",
			Operations: []string{"GET /v1/networks"}},
		{Name: "network:get_all_all_projects", Default: admin, Help: "List the networks of all projects (extension)",
			Operations: []string{"GET /v1/networks"}},
		{Name: "network:get_one", Default: readers, Help: "Show a network (extension)",
			Operations: []string{"GET /v1/networks/{network_id}"}},
		{Name: "event:get_all", Default: readers, Help: "Follow the events of a project (extension)",
			Operations: []string{"GET /v1/events"}},
		{Name: "event:get_all_all_projects", Default: admin, Help: "Follow the events of all projects (extension)",
			Operations: []string{"GET /v1/events"}},
		{Name: "availability_zones:get_all", Default: readers, Help: "List availability zones",
			Operations: []string{"GET /v1/availability_zones"}},
		{Name: "quota:update", Default: admin, Help: "Set the quota of a project",
			Operations: []string{"PUT /v1/quotas/{project_id}"}},
		{Name: "quota:delete", Default: admin, Help: "Drop the quota of a project",
			Operations: []string{"DELETE /v1/quotas/{project_id}"}},
		{Name: "quota:get", Default: readers, Help: "Show a quota",
			Operations: []string{"GET /v1/quotas/{project_id}"}},
		{Name: "quota:get_default", Default: readers, Help: "Show the default quota",
			Operations: []string{"GET /v1/quotas/defaults"}},
		{Name: "quota_class:update", Default: admin, Help: "Set a quota class",
			Operations: []string{"PUT /v1/quota_classes/{quota_class_name}"}},
		{Name: "quota_class:get", Default: admin, Help: "Show a quota class",
			Operations: []string{"GET /v1/quota_classes/{quota_class_name}"}},
		{Name: "registry:create", Default: writers, Help: "Create a registry",
			Operations: []string{"POST /v1/registries"}},
		{Name: "registry:delete", Default: writers, Help: "Delete a registry",
			Operations: []string{"DELETE /v1/registries/{registry_ident}"}},
		{Name: "registry:get_one", Default: readers, Help: "Show a registry",
			Operations: []string{"GET /v1/registries/{registry_ident}"}},
		{Name: "registry:get_all", Default: readers, Help: "List registries",
			Operations: []string{"GET /v1/registries"}},
		{Name: "registry:get_all_all_projects", Default: admin, Help: "List the registries of all projects",
			Operations: []string{"GET /v1/registries"}},
		{Name: "registry:update", Default: writers, Help: "Change a registry",
			Operations: []string{"PATCH /v1/registries/{registry_ident}"}},
	}
}
