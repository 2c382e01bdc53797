package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
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
	args    schema.Object

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
	args, inQuery, err := c.merge(c.w, c.r, c.route)
	if err != nil {
		return err
	}
	c.args = args
	if err := c.unwrapTemplate(); err != nil {
		return err
	}
	if rules := c.schemas.For(c.route.Args, c.version); rules != nil {
		if err := rules.Check(args, inQuery); err != nil {
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
		send(c.w, c.route.Status, value)
	}
	return nil
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
		across, err := strictBoolean(c.args["all_projects"])
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

// at returns the base of links in this answer.
func (c *call) base() view.Base { return c.door.base(c.r) }

// located sets the Location of what was created.
func (c *call) located(collection, id string) {
	c.w.Header().Set("Location", c.base().Item(collection, id))
}

// The readers below stand behind the schema: a value is there in the right type or
// absent.

func (c *call) text(name string) string {
	s, _ := c.args[name].(string)
	return s
}

func (c *call) optionalText(name string) *string {
	if s, given := c.args[name].(string); given {
		return &s
	}
	return nil
}

func (c *call) boolean(name string, fallback bool) bool {
	return boolean(c.args[name], fallback)
}

func (c *call) optionalBoolean(name string) *bool {
	if _, given := c.args[name]; !given {
		return nil
	}
	value := c.boolean(name, false)
	return &value
}

func (c *call) whole(name string) (int64, bool) { return whole(c.args[name]) }

// boolean reads every spelling that the schemas let through.
func boolean(value any, fallback bool) bool {
	switch v := value.(type) {
	case bool:
		return v
	case string:
		switch strings.ToLower(v) {
		case "true", "1", "on", "yes", "t", "y":
			return true
		case "false", "0", "off", "no", "f", "n":
			return false
		}
	}
	return fallback
}

// strictBoolean reads all_projects, which no schema guards in lists.
func strictBoolean(value any) (bool, error) {
	if value == nil {
		return false, nil
	}
	if b, isBool := value.(bool); isBool {
		return b, nil
	}
	s, _ := value.(string)
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "1", "t", "true", "on", "y", "yes":
		return true, nil
	case "0", "f", "false", "off", "n", "no":
		return false, nil
	default:
		return false, domain.NewFault(domain.Invalid, "invalid-value",
			"Valid all_projects values are: 1, t, true, on, y, yes, 0, f, false, off, n, no")
	}
}

// whole reads a whole number; a fraction is cut, as the schema lets none through
// where it would matter.
func whole(value any) (int64, bool) {
	var text string
	switch v := value.(type) {
	case json.Number:
		text = v.String()
	case string:
		text = v
	default:
		return 0, false
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != f || f > 1<<53 || f < -1<<53 {
		return 0, false
	}
	return int64(f), true
}

func decimal(value any) (float64, bool) {
	n, isNumber := value.(json.Number)
	if !isNumber {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}

// plainText writes any scalar as the text that is kept of it.
func plainText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "True"
		}
		return "False"
	default:
		text, _ := json.Marshal(v) // what was decoded from JSON can be encoded
		return string(text)
	}
}
