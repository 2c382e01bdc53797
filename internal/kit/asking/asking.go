// Package asking has a good request for every route of the API, for tests of what is
// answered while something behind the API is away.
package asking

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/schema"
)

// Names stand where a path names something.
type Names struct {
	Container, Capsule, Registry, Image, Network, Host, Project, Request string
	// Reference is what containers, capsules and pulls are made of; empty: cirros.
	Reference string
}

// Request is one good request.
type Request struct {
	Method, Path, Query, Body string
	Version                   api.Version // the newest that serves it
	Streams                   bool        // its answer has no end
}

// String is how a test names it.
func (r Request) String() string { return r.Method + " " + r.Path }

// Header are the headers of the request, with a token.
func (r Request) Header(token string) http.Header {
	h := http.Header{}
	h.Set(api.HeaderToken, token)
	h.Set(api.HeaderVersion, api.ServiceType+" "+r.Version.String())
	h.Set("Content-Type", "application/json")
	return h
}

// All returns a request for each route of the table.
func All(n Names) []Request {
	var all []Request
	for _, route := range rest.Routes() {
		r := Request{Method: route.Method, Path: n.path(route.Pattern), Version: api.MaxVersion, Streams: route.Streams}
		if !route.Until.IsZero() {
			r.Version = route.Until
		}
		r.Query, r.Body = n.arguments(route.Args)
		if route.Method == http.MethodGet || route.Method == http.MethodDelete {
			r.Body = ""
		}
		all = append(all, r)
	}
	return all
}

// path fills in what the pattern names.
func (n Names) path(pattern string) string {
	ident := n.Container
	for under, name := range map[string]string{
		"/capsules/": n.Capsule, "/registries/": n.Registry, "/images/": n.Image, "/networks/": n.Network, "/hosts/": n.Host, "/quota_classes/": "default",
	} {
		if strings.Contains(pattern, under) {
			ident = name
		}
	}
	var parts []string
	for part := range strings.SplitSeq(pattern, "/") {
		switch {
		case part == "{project}":
			part = n.Project
		case part == "{request}":
			part = n.Request
		case strings.HasPrefix(part, "{"):
			part = ident
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "/")
}

func (n Names) reference() string { return cmp.Or(n.Reference, "cirros") }

// arguments returns good arguments of an operation: those that must come by the query,
// and the others as a body.
func (n Names) arguments(o schema.Operation) (query, body string) {
	service := url.Values{"host": {n.Host}, "binary": {"zun-compute"}}.Encode()
	switch o {
	case schema.CreateContainer:
		return "", `{"image": "` + n.reference() + `", "nets": []}`
	case schema.UpdateContainer:
		return "", `{"memory": "128"}`
	case schema.Execute:
		return "command=true", ""
	case schema.ExecuteResize:
		return "w=80&h=24&exec_id=" + strings.Repeat("a", 64), ""
	case schema.Resize:
		return "w=80&h=24", ""
	case schema.Rebuild:
		return url.Values{"image": {n.reference()}}.Encode(), ""
	case schema.GetArchive:
		return "path=/etc", ""
	case schema.PutArchive:
		return "path=/tmp", `{"data": ""}`
	case schema.Commit:
		return "repository=snapshot", ""
	case schema.Rename:
		return "name=other", ""
	case schema.SecurityGroup:
		return "name=default", ""
	case schema.NetworkDetach:
		return "network=" + n.Network, ""
	case schema.CreateCapsule:
		return "", `{"template": {"kind": "capsule", "metadata": {}, "spec": {"containers": [{"image": "` + n.reference() + `"}]}}}`
	case schema.SwitchService, schema.DeleteService:
		return service, ""
	case schema.ForceDown:
		return service + "&forced_down=true", ""
	case schema.UpdateQuota:
		return "", `{"containers": 9}`
	case schema.CreateRegistry:
		return "", `{"registry": {"domain": "registry.example"}}`
	case schema.UpdateRegistry:
		return "", `{"registry": {"domain": "registry.example"}}`
	case schema.PullImage:
		return "", `{"repo": "` + n.reference() + `", "host": "` + n.Host + `"}`
	case schema.CreateNetwork:
		return "", `{"name": "another"}`
	default:
		return "", ""
	}
}
