package rest

import (
	"net/http"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/body"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/schema"
	"github.com/go-zun/zun/internal/rest/view"
)

// admitCapsule judges the rule on the capsule that the path names, or on the caller.
func (c *call) admitCapsule() error {
	ident := c.r.PathValue("ident")
	if ident == "" {
		return c.allow(c.route.Rule, c.self())
	}
	ref := control.Ref{Ident: ident}
	if c.route.Method == http.MethodDelete {
		across, err := c.across("capsule:delete_all_projects")
		if err != nil {
			return err
		}
		ref.AllProjects = across
	}
	found, err := c.Capsules.Capsule(c.ctx(), c.actor, ref)
	if err != nil {
		return err
	}
	c.capsule = found
	c.ref = control.Ref{Ident: string(found.Group.ID), AllProjects: ref.AllProjects}
	return c.allow(c.route.Rule, c.capsuleOwner())
}

func (c *call) capsuleOwner() Target {
	return Target{ProjectID: c.capsule.Group.ProjectID, UserID: c.capsule.Group.UserID}
}

// unwrapTemplate reads a template that came as a string of JSON.
func (c *call) unwrapTemplate() error {
	text, isText := c.args["template"].(string)
	if c.route.Args != schema.CreateCapsule || !isText {
		return nil
	}
	template, err := body.Parse([]byte(text), c.Options.MaxDepth)
	if err != nil {
		return err
	}
	if len(template) == 0 {
		return domain.NewFault(domain.Invalid, "schema-validation-error", "The template is neither an object nor the JSON of one.")
	}
	c.args["template"] = template
	return body.Check(template, false)
}

func (c *call) capsuleView(found domain.Capsule) any {
	owner := Target{ProjectID: found.Group.ProjectID, UserID: found.Group.UserID}
	shown := view.Capsule(c.base(), found, c.sees("capsule:get", owner), c.sees(fieldRules, owner))
	if c.version.Has(api.CapsuleView) {
		return shown
	}
	return view.LegacyCapsule(shown)
}

// listCapsules has no rule for all_projects: for those who are no administrators it
// has no effect, as it always was.
func listCapsules(c *call) (any, error) {
	all, err := draft.StrictBoolean(c.args["all_projects"])
	if err != nil {
		return nil, err
	}
	page, err := c.page("id")
	if err != nil {
		return nil, err
	}
	found, err := c.Capsules.Capsules(c.ctx(), c.actor, all && c.actor.IsAdmin, page)
	if err != nil {
		return nil, err
	}
	list := struct {
		Capsules []any   `json:"capsules"`
		Next     *string `json:"next"`
	}{Capsules: make([]any, 0, len(found))}
	for _, one := range found {
		list.Capsules = append(list.Capsules, c.capsuleView(one))
	}
	if len(found) > 0 {
		list.Next = c.next("capsules", page, len(found), string(found[len(found)-1].Group.ID))
	}
	return list, nil
}

func showCapsule(c *call) (any, error) { return c.capsuleView(c.capsule), nil }

func deleteCapsule(c *call) (any, error) {
	return nil, c.Capsules.DeleteCapsule(c.ctx(), c.actor, c.ref)
}

func createCapsule(c *call) (any, error) {
	asked, err := draft.Capsule(c.args, c.Policy.Allowed("container:create:image_pull_policy", c.actor, c.self()))
	if err != nil {
		return nil, err
	}
	accepted, err := c.Capsules.CreateCapsule(c.ctx(), c.actor, asked)
	if err != nil {
		return nil, err
	}
	c.located("capsules", string(accepted.Group.ID))
	return c.capsuleView(accepted), nil
}
