package openapi

import (
	"net/http"
	"reflect"

	"github.com/go-zun/zun/api"
)

// replies are what a success answers, by method and path: the types of the wire, several
// where versions or arguments differ. What is not listed answers null.
func replies() map[string][]reflect.Type {
	container, text, quota := shape[api.Container](), shape[string](), shape[api.Quota]()
	capsules := []reflect.Type{shape[api.Capsule](), shape[api.LegacyCapsule]()}
	registry, network, state := shape[api.RegistryItem](), shape[api.Network](), shape[api.ServiceSwitch]()
	const item = "/v1/containers/{ident}"
	return map[string][]reflect.Type{
		"GET /v1/containers":                           {shape[api.ContainerList]()},
		"POST /v1/containers":                          {container},
		"GET " + item:                                  {container},
		"PATCH " + item:                                {container},
		"POST " + item + "/rename":                     {container},
		"POST " + item + "/resize_container":           {container},
		"GET " + item + "/container_actions":           {shape[api.ActionList]()},
		"GET " + item + "/container_actions/{request}": {shape[api.Action]()},
		"GET " + item + "/network_list":                {shape[api.ContainerNetworks](), shape[api.ContainerAddresses]()},
		"GET " + item + "/logs":                        {text},
		"POST " + item + "/execute":                    {shape[api.ExecuteResult]()},
		"GET " + item + "/attach":                      {text},
		"GET " + item + "/top":                         {shape[api.ProcessTable]()},
		"GET " + item + "/stats":                       {shape[api.Stats]()},
		"GET " + item + "/get_archive":                 {shape[api.Archive]()},
		"POST " + item + "/commit":                     {shape[api.CommitResult]()},
		"GET /v1/services":                             {shape[api.ServiceList]()},
		"PUT /v1/services/enable":                      {state},
		"PUT /v1/services/disable":                     {state},
		"PUT /v1/services/force_down":                  {state},
		"GET /v1/hosts":                                {shape[api.HostList]()},
		"GET /v1/hosts/{ident}":                        {shape[api.Host]()},
		"GET /v1/availability_zones":                   {shape[api.ZoneList]()},
		"GET /v1/quotas/{project}":                     {quota, shape[api.QuotaUsage]()},
		"GET /v1/quotas/{project}/defaults":            {quota},
		"PUT /v1/quotas/{project}":                     {quota},
		"GET /v1/quota_classes/{name}":                 {quota},
		"PUT /v1/quota_classes/{name}":                 {quota},
		"GET /v1/registries":                           {shape[api.RegistryList]()},
		"POST /v1/registries":                          {registry},
		"GET /v1/registries/{ident}":                   {registry},
		"PATCH /v1/registries/{ident}":                 {registry},
		"GET /v1/capsules":                             {shape[api.CapsuleList](), shape[legacyCapsuleList]()},
		"POST /v1/capsules":                            capsules,
		"GET /v1/capsules/{ident}":                     capsules,
		"GET /v1/images":                               {shape[api.ImageList]()},
		"POST /v1/images":                              {shape[api.Image]()},
		"GET /v1/images/{ident}":                       {shape[api.Image]()},
		"GET /v1/images/{ident}/search":                {shape[[]api.FoundImage]()},
		"POST /v1/networks":                            {network},
		"GET /v1/admissions":                           {shape[api.AdmissionList]()},
		"GET /v1/networks":                             {shape[api.NetworkList]()},
		"GET /v1/networks/{ident}":                     {network},
	}
}

func shape[T any]() reflect.Type { return reflect.TypeFor[T]() }

// legacyCapsuleList is the list of capsules up to 1.31.
type legacyCapsuleList struct {
	Capsules []api.LegacyCapsule `json:"capsules"`
	Next     *string             `json:"next"`
}

// reply is the schema of what o answers on success.
func (s shapes) reply(o Operation) Object {
	types := replies()[o.Method+" "+o.Path]
	switch len(types) {
	case 0:
		return Object{"type": "null"}
	case 1:
		return s.of(types[0])
	}
	var several []any
	for _, t := range types {
		several = append(several, s.of(t))
	}
	return Object{"anyOf": several}
}

// bodiless says whether a success of o has no body.
func bodiless(o Operation) bool { return o.Status == http.StatusNoContent }
