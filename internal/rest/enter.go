package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/address"
	"github.com/go-zun/zun/internal/rest/answer"
	"github.com/go-zun/zun/internal/rest/journal"
	"github.com/go-zun/zun/internal/rest/negotiation"
	"github.com/go-zun/zun/internal/rest/view"
)

// enter takes a request as far as its route: path, version, actor, in the order in
// which their errors win over each other.
func (d *door) enter(w http.ResponseWriter, r *http.Request) {
	path, known := address.Canonical(r.URL.EscapedPath(), d.Options.PathPrefix)
	if path == "/" {
		d.document(w, r, view.Root(d.public().Base(r)))
		return
	}
	if path == descriptionPath {
		d.document(w, r, d.description)
		return
	}
	version, err := negotiation.Version(r.Header.Get(api.HeaderVersion))
	negotiation.Announce(w.Header(), version)
	if path == "/v1" {
		if err != nil {
			d.refuse(w, r, err)
			return
		}
		d.document(w, r, view.V1(d.public().Base(r)))
		return
	}
	actor, unknown := d.authenticate(r)
	switch {
	case unknown != nil:
		err = unknown
	case err != nil:
	case !acceptable(path, r.Header.Get("Accept")):
		err = negotiation.Unacceptable("")
	case !known:
		err = noSuchPath()
	}
	if err != nil {
		d.refuse(w, r, err)
		return
	}
	c := &call{door: d, w: w, r: r, actor: actor, version: version}
	d.routes.ServeHTTP(w, address.At(r.WithContext(withCall(r.Context(), c)), path))
}

// acceptable says whether path can answer in a form that the client accepts.
func acceptable(path, accept string) bool {
	streams := path == eventsPath || strings.HasPrefix(path, containersPath+"/") && strings.HasSuffix(path, followSuffix)
	return negotiation.AcceptsJSON(accept) || streams && negotiation.AcceptsEvents(accept)
}

// document answers one of the two unauthenticated documents.
func (d *door) document(w http.ResponseWriter, r *http.Request, document any) {
	if r.Method != http.MethodGet {
		d.refuse(w, r, notAllowed(http.MethodGet))
		return
	}
	answer.Send(w, http.StatusOK, document)
}

// authenticate returns who asks, with the verdict on being an administrator.
func (d *door) authenticate(r *http.Request) (domain.Actor, error) {
	token := r.Header.Get(api.HeaderToken)
	if token == "" {
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "", "no token")
	}
	actor, err := d.Identity.Authenticate(r.Context(), token)
	if err != nil {
		return actor, err
	}
	entry := journal.Of(r)
	actor.RequestID = entry.RequestID
	actor.IsAdmin = d.Policy.Allowed("context_is_admin", actor, Target{ProjectID: actor.ProjectID, UserID: actor.UserID})
	entry.UserID, entry.ProjectID = actor.UserID, actor.ProjectID
	return actor, nil
}

// place is one path of the API with all routes on it.
type place struct {
	door   *door
	routes []Route
}

// ServeHTTP picks the route by method and version and carries it out.
func (p place) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := callOf(r.Context())
	c.r = r
	route, err := p.choose(r.Method, c.version)
	if err == nil {
		c.route = route
		err = c.carryOut() //nolint:contextcheck // a call carries its request, and with it the context
	}
	if err != nil {
		p.door.refuse(w, r, err)
	}
}

func (p place) choose(method string, version api.Version) (Route, error) {
	var methods []string
	for _, r := range p.routes {
		if r.Method == method {
			if !version.Within(r.Since, r.Until) {
				return r, negotiation.NotInVersion(version)
			}
			return r, nil
		}
		methods = append(methods, r.Method)
	}
	slices.Sort(methods)
	return Route{}, notAllowed(strings.Join(slices.Compact(methods), ", "))
}
