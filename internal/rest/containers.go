package rest

import (
	"iter"
	"slices"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/view"
	"github.com/go-zun/zun/internal/rest/wire"
)

const (
	fieldRules = "container:get_one"
	maxKey     = 255 // bytes of an idempotency key
)

// shown is the view of row with its links.
func (c *call) shown(row domain.Container) api.Container {
	one := view.Container(row, c.sees(fieldRules, Target{ProjectID: row.ProjectID, UserID: row.UserID}))
	one.Links = c.base().Links("containers", string(row.ID))
	return one
}

// bare are the views of rows as lists have them. The rules are asked once for each
// owner, because most rows of a page have the same.
func (c *call) bare(rows []domain.Container) iter.Seq[api.Container] {
	sights := map[Target]view.Sees{}
	return func(yield func(api.Container) bool) {
		for i := range rows {
			owner := Target{ProjectID: rows[i].ProjectID, UserID: rows[i].UserID}
			sees, known := sights[owner]
			if !known {
				sees = view.Once(c.sees(fieldRules, owner))
				sights[owner] = sees
			}
			if !yield(view.Container(rows[i], sees)) {
				return
			}
		}
	}
}

func listContainers(c *call) (any, error) {
	all, err := c.across("container:get_all_all_projects")
	if err != nil {
		return nil, err
	}
	known := []string{"name", "image", "project_id", "user_id", "memory", "host", "task_state", "status", "auto_remove"}
	if c.Options.Extensions {
		known = append(known, labelsFilter)
	}
	given, err := c.filters(known...)
	if err != nil {
		return nil, err
	}
	for _, field := range []string{view.FieldHost} {
		if _, filtered := given[field]; filtered {
			if err := c.allow(fieldRules+":"+field, c.self()); err != nil {
				return nil, err
			}
		}
	}
	page, err := c.page("id")
	if err != nil {
		return nil, err
	}
	filters := containerFilters(given)
	if filters.Labels, err = labelsOf(given[labelsFilter]); err != nil {
		return nil, err
	}
	rows, err := c.Containers.List(c.ctx(), c.actor, control.ListRequest{AllProjects: all, Filters: filters, Page: page})
	if err != nil {
		return nil, err
	}
	list := wire.ContainerPage{Rows: c.bare(rows)}
	if len(rows) > 0 {
		list.Next = c.next("containers", page, len(rows), string(rows[len(rows)-1].ID))
	}
	return list, nil
}

// labelsFilter is the extension that filters a list by labels: "app=web,tier=db".
const labelsFilter = "labels"

func labelsOf(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	wanted := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, whole := strings.Cut(pair, "=")
		if !whole || name == "" {
			return nil, domain.NewFault(domain.Invalid, "invalid-value", "Labels are filtered by name=value, several with commas between them.")
		}
		wanted[name] = value
	}
	return wanted, nil
}

func containerFilters(given map[string]string) control.ContainerFilters {
	value := func(name string) *string {
		if v, filtered := given[name]; filtered {
			return &v
		}
		return nil
	}
	f := control.ContainerFilters{
		Name: value("name"), Image: value("image"), ProjectID: value("project_id"), UserID: value("user_id"),
		Memory: value("memory"), Host: value("host"), TaskState: value("task_state"), Status: value("status"),
	}
	if f.TaskState != nil && *f.TaskState == "None" {
		f.TaskState = new(string)
	}
	if v, filtered := given["auto_remove"]; filtered {
		wanted := draft.Boolean(v, false)
		f.AutoRemove = &wanted
	}
	return f
}

func createContainer(c *call) (any, error) {
	if err := c.gates(); err != nil {
		return nil, err
	}
	if err := c.createRules(); err != nil {
		return nil, err
	}
	request, err := draft.Container(c.args, c.version)
	if err != nil {
		return nil, err
	}
	if request.IdempotencyKey = c.r.Header.Get("Idempotency-Key"); len(request.IdempotencyKey) > maxKey {
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "Idempotency-Key is longer than %d bytes.", maxKey)
	}
	row, err := c.Containers.Create(c.ctx(), c.actor, request)
	if err != nil {
		return nil, err
	}
	c.located("containers", string(row.ID))
	return view.Fresh(c.shown(row), row.Spec), nil
}

// gates refuses parameters that are newer than the version asked for.
func (c *call) gates() error {
	names := make([]string, 0, len(c.args))
	for name := range c.args {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := c.gate(name); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) gate(name string) error {
	needed, gated := api.FieldSince(api.GateParam, name)
	if !gated || !c.version.Before(needed) {
		return nil
	}
	return domain.NewFault(domain.Invalid, "invalid-param-in-version",
		"Invalid param %s because current request version is %s. %s is only supported from version %s", name, c.version, name, needed)
}

// createRules judges the rules that only some creates need.
func (c *call) createRules() error {
	if c.args.Boolean("privileged", false) {
		if err := c.allow("container:create:privileged", c.self()); err != nil {
			return err
		}
	}
	for _, field := range []struct{ name, rule string }{
		{"runtime", "container:create:runtime"},
		{"image_pull_policy", "container:create:image_pull_policy"},
		{"host", "container:create:requested_destination"},
	} {
		if c.args.Text(field.name) == "" {
			continue
		}
		if err := c.allow(field.rule, c.self()); err != nil {
			return err
		}
	}
	return nil
}

func showContainer(c *call) (any, error) { return c.shown(c.container), nil }

func updateContainer(c *call) (any, error) {
	row, err := c.Containers.Update(c.ctx(), c.actor, c.ref, draft.Change(c.args))
	if err != nil {
		return nil, err
	}
	return c.shown(row), nil
}

func deleteContainer(c *call) (any, error) {
	how := control.DeleteRequest{Stop: c.args.Boolean("stop", false), Force: c.args.Boolean("force", false), AllProjects: c.ref.AllProjects}
	for _, want := range []struct {
		asked      bool
		name, rule string
	}{{how.Force, "force", "container:delete_force"}, {how.Stop, "stop", "container:stop"}} {
		if !want.asked {
			continue
		}
		if err := c.gate(want.name); err != nil {
			return nil, err
		}
		if err := c.allow(want.rule, c.owner()); err != nil {
			return nil, err
		}
	}
	return nil, c.Containers.Delete(c.ctx(), c.actor, c.ref, how)
}

func renameContainer(c *call) (any, error) {
	row, err := c.Containers.Rename(c.ctx(), c.actor, c.ref, c.args.Text("name"))
	if err != nil {
		return nil, err
	}
	return c.shown(row), nil
}

func listNetworks(c *call) (any, error) {
	if c.version.Has(api.NetworkListByPort) {
		return view.Networks(c.container), nil
	}
	return view.Addresses(c.container), nil
}

func listActions(c *call) (any, error) {
	actions, err := c.Records.Actions(c.ctx(), c.actor, c.ref)
	if err != nil {
		return nil, err
	}
	list := api.ActionList{Actions: make([]api.Action, 0, len(actions))}
	for _, a := range actions {
		list.Actions = append(list.Actions, view.Action(a))
	}
	return list, nil
}

func showAction(c *call) (any, error) {
	action, events, err := c.Records.Action(c.ctx(), c.actor, c.ref, c.r.PathValue("request"))
	if err != nil {
		return nil, err
	}
	shown := view.Action(action)
	shown.Events = view.Events(events, c.Policy.Allowed("container:action:events", c.actor, c.owner()))
	return shown, nil
}
