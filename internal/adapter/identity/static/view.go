package static

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// The JSON of Keystone v3, as far as clients read it.
type (
	failure struct {
		Code    int    `json:"code"`
		Title   string `json:"title"`
		Message string `json:"message"`
	}
	link struct {
		Self string `json:"self"`
	}
	named struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	inDomain struct {
		Domain named  `json:"domain"`
		ID     string `json:"id"`
		Name   string `json:"name"`
	}
	holderView struct {
		inDomain
		PasswordExpires *string `json:"password_expires_at"`
	}
	tokenView struct {
		Methods  []string      `json:"methods"`
		User     holderView    `json:"user"`
		Audits   []string      `json:"audit_ids"`
		Expires  string        `json:"expires_at"`
		Issued   string        `json:"issued_at"`
		Project  *inDomain     `json:"project,omitempty"`
		IsDomain *bool         `json:"is_domain,omitempty"`
		Roles    []named       `json:"roles,omitempty"`
		Catalog  []serviceView `json:"catalog,omitempty"`
	}
	serviceView struct {
		ID        string         `json:"id"`
		Type      string         `json:"type"`
		Name      string         `json:"name"`
		Endpoints []endpointView `json:"endpoints"`
	}
	endpointView struct {
		ID        string `json:"id"`
		Interface string `json:"interface"`
		Region    string `json:"region"`
		RegionID  string `json:"region_id"`
		URL       string `json:"url"`
	}
	projectView struct {
		ID          string         `json:"id"`
		Name        string         `json:"name"`
		Description string         `json:"description"`
		DomainID    string         `json:"domain_id"`
		ParentID    string         `json:"parent_id"`
		Enabled     bool           `json:"enabled"`
		IsDomain    bool           `json:"is_domain"`
		Tags        []string       `json:"tags"`
		Options     map[string]any `json:"options"`
		Links       link           `json:"links"`
	}
	userView struct {
		ID              string         `json:"id"`
		Name            string         `json:"name"`
		DomainID        string         `json:"domain_id"`
		DefaultProject  string         `json:"default_project_id,omitempty"`
		Enabled         bool           `json:"enabled"`
		PasswordExpires *string        `json:"password_expires_at"`
		Options         map[string]any `json:"options"`
		Links           link           `json:"links"`
	}
	roleView struct {
		ID       string         `json:"id"`
		Name     string         `json:"name"`
		DomainID *string        `json:"domain_id"`
		Options  map[string]any `json:"options"`
		Links    link           `json:"links"`
	}
	domainView struct {
		ID          string         `json:"id"`
		Name        string         `json:"name"`
		Description string         `json:"description"`
		Enabled     bool           `json:"enabled"`
		Options     map[string]any `json:"options"`
		Links       link           `json:"links"`
	}
)

// timeForm is Keystone's form of a time, in UTC.
const timeForm = "2006-01-02T15:04:05.000000Z"

func moment(unix int64) string { return time.Unix(unix, 0).UTC().Format(timeForm) }

// links is what stands beside every list.
func (i *Identity) links(r *http.Request) map[string]any {
	return map[string]any{"self": i.self(strings.TrimPrefix(r.URL.Path, "/v3/")), "next": nil, "previous": nil}
}

func (i *Identity) self(path string) string { return i.options.IdentityURL + "/v3/" + path }

// versions answers discovery at the root; 300 is Keystone's own status for it.
func (i *Identity) versions(w http.ResponseWriter, _ *http.Request) {
	i.answer(w, http.StatusMultipleChoices, map[string]any{"versions": map[string]any{"values": []any{i.versionView()}}})
}

func (i *Identity) version(w http.ResponseWriter, _ *http.Request) {
	i.answer(w, http.StatusOK, map[string]any{"version": i.versionView()})
}

func (i *Identity) versionView() map[string]any {
	return map[string]any{
		"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
		"links":       []map[string]string{{"rel": "self", "href": i.options.IdentityURL + "/v3/"}},
		"media-types": []map[string]string{{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}},
	}
}

// tokenView is what a token says in words.
func (i *Identity) tokenView(g grant, withCatalog bool) tokenView {
	home := named{ID: domainID, Name: domainName}
	v := tokenView{
		Methods: g.claims.Methods, Audits: []string{g.claims.Audit},
		User:    holderView{inDomain: inDomain{Domain: home, ID: g.user.ID, Name: g.user.Name}},
		Expires: moment(g.claims.Expires), Issued: moment(g.claims.Issued),
	}
	if g.project == nil {
		return v
	}
	v.Project, v.IsDomain = &inDomain{Domain: home, ID: g.project.ID, Name: g.project.Name}, new(bool)
	for _, role := range g.roles {
		v.Roles = append(v.Roles, named{ID: role, Name: role})
	}
	if withCatalog {
		v.Catalog = i.catalog()
	}
	return v
}

// catalog lists the services that this process offers, each under the three interfaces
// that clients may ask for.
func (i *Identity) catalog() []serviceView {
	services := []struct{ kind, name, url string }{
		{"identity", "keystone", i.options.IdentityURL + "/v3"},
		{"container", "zun", i.options.ContainerURL},
	}
	out := make([]serviceView, 0, len(services))
	for _, s := range services {
		view := serviceView{ID: s.name, Type: s.kind, Name: s.name}
		for _, side := range []string{"public", "internal", "admin"} {
			view.Endpoints = append(view.Endpoints, endpointView{ID: s.name + "-" + side, Interface: side,
				Region: i.options.Region, RegionID: i.options.Region, URL: s.url})
		}
		out = append(out, view)
	}
	return out
}

func (i *Identity) projectView(p *project) projectView {
	return projectView{ID: p.ID, Name: p.Name, Description: p.Description, DomainID: domainID, ParentID: domainID, Enabled: !p.Disabled,
		Tags: []string{}, Options: map[string]any{}, Links: link{i.self("projects/" + p.ID)}}
}

func (i *Identity) projectViews(projects []*project) []projectView {
	views := make([]projectView, 0, len(projects))
	for _, p := range projects {
		views = append(views, i.projectView(p))
	}
	return views
}

func (i *Identity) userView(people *book, u *user) userView {
	v := userView{ID: u.ID, Name: u.Name, DomainID: domainID, Enabled: !u.Disabled, Options: map[string]any{}, Links: link{i.self("users/" + u.ID)}}
	if home := people.projectNames[u.Project]; home != nil {
		v.DefaultProject = home.ID
	}
	return v
}

func (i *Identity) roleView(name string) roleView {
	return roleView{ID: name, Name: name, Options: map[string]any{}, Links: link{i.self("roles/" + name)}}
}

func (i *Identity) domainView() domainView {
	return domainView{ID: domainID, Name: domainName, Description: "The default domain", Enabled: true, Options: map[string]any{},
		Links: link{i.self("domains/" + domainID)}}
}

// isAdmin says whether the caller may see what belongs to others.
func (g grant) isAdmin() bool { return slices.Contains(g.roles, "admin") }
