package rest

import (
	"context"
	"net/http"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/answer"
	"github.com/go-zun/zun/internal/rest/archive"
	"github.com/go-zun/zun/internal/rest/body"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/schema"
	"github.com/go-zun/zun/internal/rest/view"
)

// call is one request on its way through the door.
type call struct {
	*door
	w       http.ResponseWriter
	r       *http.Request
	actor   domain.Actor
	version api.Version
	route   Route
	args    draft.Args
	archive *body.Text // what put_archive brings in its JSON

	container domain.Container // set by OnContainer
	ref       control.Ref      // names container beyond doubt
	registry  domain.Registry  // set by OnRegistry
	capsule   domain.Capsule   // set by OnCapsule on items
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// callOf returns the call that enter laid into every routed request.
func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// sent is returned by a handler that wrote its answer itself.
type sent struct{}

// carryOut reads and judges the arguments, then the policy, then works and answers.
func (c *call) carryOut() error {
	if err := c.openArchive(); err != nil {
		return err
	}
	args, from, err := c.form().Merge(c.w, c.r)
	if err != nil {
		return err
	}
	c.args = args
	if err := c.unwrapTemplate(); err != nil {
		return err
	}
	if rules := c.schemas.For(c.route.Args, c.version); rules != nil {
		if err := rules.Check(args, from); err != nil {
			return err
		}
	}
	if err := c.admit(); err != nil {
		return err
	}
	value, err := c.route.handle(c)
	if err != nil {
		return err
	}
	if _, done := value.(sent); !done {
		answer.Send(c.w, c.route.Status, value)
	}
	return nil
}

// form is what the route takes of this request. The data of an archive may hold any
// byte; it is no text that is stored.
func (c *call) form() body.Form {
	f := body.Form{
		Query: c.route.Query, Typed: c.route.Typed, Bound: c.Options.MaxBody, Depth: c.Options.MaxDepth,
		AnyText: c.route.Args == schema.PutArchive,
	}
	if c.route.Args == schema.PutArchive {
		f.Bound, f.Unread = c.Options.MaxArchive, archive.Given(c.r)
	}
	return f
}

// admit finds the object of the route and judges the policy rule on it.
func (c *call) admit() error {
	switch c.route.On {
	case OnContainer:
		return c.admitContainer()
	case OnRegistry:
		r, err := c.Registries.Registry(c.ctx(), c.actor, c.r.PathValue("ident"))
		if err != nil {
			return err
		}
		c.registry = r
		return c.allow(c.route.Rule, Target{ProjectID: r.ProjectID, UserID: r.UserID})
	case OnCapsule:
		return c.admitCapsule()
	case OnProject:
		return c.allow(c.route.Rule, Target{ProjectID: c.r.PathValue("project")})
	default:
		return c.allow(c.route.Rule, c.self())
	}
}

func (c *call) admitContainer() error {
	ref := control.Ref{Ident: c.r.PathValue("ident")}
	if rule := acrossProjects(c.route); rule != "" {
		across, err := draft.StrictBoolean(c.args["all_projects"])
		if err != nil {
			return err
		}
		if ref.AllProjects = across; across {
			if err := c.allow(rule, c.self()); err != nil {
				return err
			}
		}
	}
	row, err := c.Containers.Get(c.ctx(), c.actor, ref)
	if err != nil {
		return err
	}
	c.container, c.ref = row, control.Ref{Ident: string(row.ID), AllProjects: ref.AllProjects}
	if c.route.Rule == "" {
		return nil
	}
	return c.allow(c.route.Rule, c.owner())
}

// acrossProjects is the rule of all_projects on an item; empty: the route has none.
func acrossProjects(r Route) string {
	if r.Pattern != containerPath {
		return ""
	}
	switch r.Method {
	case http.MethodGet:
		return "container:get_one_all_projects"
	case http.MethodDelete:
		return "container:delete_all_projects"
	default:
		return ""
	}
}

func (c *call) ctx() context.Context { return c.r.Context() }

// self is the caller as the target of a rule, owner the container's owner.
func (c *call) self() Target { return Target{ProjectID: c.actor.ProjectID, UserID: c.actor.UserID} }

func (c *call) owner() Target {
	return Target{ProjectID: c.container.ProjectID, UserID: c.container.UserID}
}

// allow returns a Forbidden fault when the rule says no.
func (c *call) allow(rule string, on Target) error {
	if c.Policy.Allowed(rule, c.actor, on) {
		return nil
	}
	return domain.NewFault(domain.Forbidden, "policy-not-authorized", "Policy doesn't allow %s to be performed.", rule)
}

// sees returns who may see the guarded fields of an object of target's.
func (c *call) sees(prefix string, on Target) view.Sees {
	return func(field string) bool { return c.Policy.Allowed(prefix+":"+field, c.actor, on) }
}

// base is where the links of this answer lead.
func (c *call) base() view.Base { return c.public().Base(c.r) }

// located sets the Location of what was created.
func (c *call) located(collection, id string) {
	c.w.Header().Set("Location", c.base().Item(collection, id))
}
