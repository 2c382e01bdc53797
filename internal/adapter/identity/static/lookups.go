package static

import (
	"net/http"
	"slices"

	"github.com/go-zun/zun/internal/domain"
)

// subject returns the token that X-Subject-Token names, if the caller may ask about it:
// its own holder, or an administrator. Anybody else learns nothing of it.
func (i *Identity) subject(r *http.Request, caller grant) (grant, error) {
	subject, err := i.verify(r.Header.Get("X-Subject-Token"))
	if err != nil {
		return grant{}, domain.WrapFault(err, domain.NotFound, "not-found", "Could not find token.")
	}
	if subject.user.ID != caller.user.ID && !caller.isAdmin() {
		return grant{}, forbidden()
	}
	return subject, nil
}

// validate is GET and HEAD /v3/auth/tokens.
func (i *Identity) validate(w http.ResponseWriter, r *http.Request, caller grant) error {
	subject, err := i.subject(r, caller)
	if err != nil {
		return err
	}
	w.Header().Set("X-Subject-Token", r.Header.Get("X-Subject-Token"))
	i.answer(w, http.StatusOK, map[string]any{"token": i.tokenView(subject, !r.URL.Query().Has("nocatalog"))})
	return nil
}

// revoke is DELETE /v3/auth/tokens.
func (i *Identity) revoke(w http.ResponseWriter, r *http.Request, caller grant) error {
	subject, err := i.subject(r, caller)
	if err != nil {
		return err
	}
	if err := i.revoked.add(subject.claims.Audit, subject.claims.Expires); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (i *Identity) showCatalog(w http.ResponseWriter, r *http.Request, caller grant) error {
	if caller.project == nil {
		return forbidden()
	}
	i.answer(w, http.StatusOK, map[string]any{"catalog": i.catalog(), "links": i.links(r)})
	return nil
}

func (i *Identity) ownProjects(w http.ResponseWriter, r *http.Request, caller grant) error {
	i.answer(w, http.StatusOK, map[string]any{"projects": i.projectViews(i.book().projectsOf(caller.user)), "links": i.links(r)})
	return nil
}

func (i *Identity) noDomains(w http.ResponseWriter, r *http.Request, _ grant) error {
	i.answer(w, http.StatusOK, map[string]any{"domains": []any{}, "links": i.links(r)})
	return nil
}

func (i *Identity) listProjects(w http.ResponseWriter, r *http.Request, caller grant) error {
	if !caller.isAdmin() {
		return forbidden()
	}
	var found []*project
	for _, p := range i.book().Projects {
		if matches(r, p.Name) {
			found = append(found, p)
		}
	}
	i.answer(w, http.StatusOK, map[string]any{"projects": i.projectViews(found), "links": i.links(r)})
	return nil
}

// matches applies the filters name and domain_id of a list.
func matches(r *http.Request, name string) bool {
	query := r.URL.Query()
	if asked := query.Get("domain_id"); asked != "" && asked != domainID {
		return false
	}
	return !query.Has("name") || query.Get("name") == name
}

func (i *Identity) showProject(w http.ResponseWriter, r *http.Request, caller grant) error {
	id := r.PathValue("id")
	found := i.book().projects[id]
	switch {
	case !caller.isAdmin() && (found == nil || len(caller.user.Roles[found.Name]) == 0):
		return forbidden()
	case found == nil:
		return missing("project", id)
	}
	i.answer(w, http.StatusOK, map[string]any{"project": i.projectView(found)})
	return nil
}

func (i *Identity) listUsers(w http.ResponseWriter, r *http.Request, caller grant) error {
	if !caller.isAdmin() {
		return forbidden()
	}
	people := i.book()
	views := []userView{}
	for _, u := range people.Users {
		if matches(r, u.Name) {
			views = append(views, i.userView(people, u))
		}
	}
	i.answer(w, http.StatusOK, map[string]any{"users": views, "links": i.links(r)})
	return nil
}

// person returns the user of the path, if the caller may ask: the user itself, or an
// administrator.
func (i *Identity) person(r *http.Request, caller grant, people *book) (*user, error) {
	id := r.PathValue("id")
	if id != caller.user.ID && !caller.isAdmin() {
		return nil, forbidden()
	}
	if found := people.users[id]; found != nil {
		return found, nil
	}
	return nil, missing("user", id)
}

func (i *Identity) showUser(w http.ResponseWriter, r *http.Request, caller grant) error {
	people := i.book()
	found, err := i.person(r, caller, people)
	if err != nil {
		return err
	}
	i.answer(w, http.StatusOK, map[string]any{"user": i.userView(people, found)})
	return nil
}

func (i *Identity) userProjects(w http.ResponseWriter, r *http.Request, caller grant) error {
	people := i.book()
	found, err := i.person(r, caller, people)
	if err != nil {
		return err
	}
	i.answer(w, http.StatusOK, map[string]any{"projects": i.projectViews(people.projectsOf(found)), "links": i.links(r)})
	return nil
}

func (i *Identity) listRoles(w http.ResponseWriter, r *http.Request, _ grant) error {
	views := []roleView{}
	for _, name := range i.book().roleNames() {
		if matches(r, name) {
			views = append(views, i.roleView(name))
		}
	}
	i.answer(w, http.StatusOK, map[string]any{"roles": views, "links": i.links(r)})
	return nil
}

func (i *Identity) showRole(w http.ResponseWriter, r *http.Request, _ grant) error {
	id := r.PathValue("id")
	if !slices.Contains(i.book().roleNames(), id) {
		return missing("role", id)
	}
	i.answer(w, http.StatusOK, map[string]any{"role": i.roleView(id)})
	return nil
}

func (i *Identity) listDomains(w http.ResponseWriter, r *http.Request, _ grant) error {
	views := []domainView{}
	if matches(r, domainName) {
		views = append(views, i.domainView())
	}
	i.answer(w, http.StatusOK, map[string]any{"domains": views, "links": i.links(r)})
	return nil
}

func (i *Identity) showDomain(w http.ResponseWriter, r *http.Request, _ grant) error {
	if id := r.PathValue("id"); id != domainID {
		return missing("domain", id)
	}
	i.answer(w, http.StatusOK, map[string]any{"domain": i.domainView()})
	return nil
}
