package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-zun/zun/api"
)

// ListOptions select a list. Limit 0 is everything, fetched page by page.
type ListOptions struct {
	AllProjects      bool
	Limit            int
	Marker           string
	SortKey, SortDir string
	Filters          url.Values // by field, exact
}

func (o ListOptions) query() url.Values {
	q := url.Values{}
	for key, values := range o.Filters {
		q[key] = values
	}
	set := func(key, value string) {
		if value != "" {
			q.Set(key, value)
		}
	}
	set("marker", o.Marker)
	set("sort_key", o.SortKey)
	set("sort_dir", o.SortDir)
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(o.Limit))
	}
	if o.AllProjects {
		q.Set("all_projects", "true")
	}
	return q
}

// page is what every list answers with.
type page[T any] struct {
	items []T
	next  string
}

// collect follows the pages of a list until it ends or limit items are there. The
// marker of the next page is taken from its link; the rest of the query stays ours.
func collect[T any](o ListOptions, fetch func(q url.Values) (page[T], error)) ([]T, error) {
	var all []T
	q := o.query()
	for {
		p, err := fetch(q)
		if err != nil {
			return nil, err
		}
		all = append(all, p.items...)
		if o.Limit > 0 && len(all) >= o.Limit {
			return all[:o.Limit], nil
		}
		next, err := url.Parse(p.next)
		if err != nil || p.next == "" || next.Query().Get("marker") == "" {
			return all, err
		}
		q.Set("marker", next.Query().Get("marker"))
	}
}

func link(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Containers lists containers.
func (c *Client) Containers(ctx context.Context, o ListOptions) ([]api.Container, error) {
	return collect(o, func(q url.Values) (page[api.Container], error) {
		var list api.ContainerList
		err := c.do(ctx, call{method: http.MethodGet, path: "/containers", query: q}, &list)
		return page[api.Container]{list.Containers, link(list.Next)}, err
	})
}

// Container returns one container by uuid or name.
func (c *Client) Container(ctx context.Context, ident string, allProjects bool) (api.Container, error) {
	var container api.Container
	q := url.Values{}
	if allProjects {
		q.Set("all_projects", "true")
	}
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident), query: q}, &container)
	return container, err
}

// CreateContainer asks for a container, and to start it if run. It answers as soon
// as the request is accepted.
func (c *Client) CreateContainer(ctx context.Context, body api.ContainerCreate, run bool) (api.Container, error) {
	var container api.Container
	q := url.Values{}
	if run {
		q.Set("run", "true")
	}
	err := c.do(ctx, call{method: http.MethodPost, path: "/containers", query: q, body: body}, &container)
	return container, err
}

// UpdateContainer changes what change names and returns when it is in force.
func (c *Client) UpdateContainer(ctx context.Context, ident string, change api.ContainerUpdate) (api.Container, error) {
	var container api.Container
	err := c.do(ctx, call{method: http.MethodPatch, path: item(ident), body: change}, &container)
	return container, err
}

// DeleteOptions say how to delete.
type DeleteOptions struct{ Force, Stop, AllProjects bool }

// DeleteContainer asks for a container to be deleted.
func (c *Client) DeleteContainer(ctx context.Context, ident string, o DeleteOptions) error {
	q := url.Values{}
	for key, set := range map[string]bool{"force": o.Force, "stop": o.Stop, "all_projects": o.AllProjects} {
		if set {
			q.Set(key, "true")
		}
	}
	return c.do(ctx, call{method: http.MethodDelete, path: item(ident), query: q}, nil)
}

// Rename gives a container another name, by the verb or by PATCH as the version has it.
func (c *Client) Rename(ctx context.Context, ident, name string) error {
	version, err := c.Version(ctx)
	if err != nil {
		return err
	}
	if version.Before(api.Version{Major: 1, Minor: 14}) {
		return c.Act(ctx, ident, "rename", url.Values{"name": {name}})
	}
	_, err = c.UpdateContainer(ctx, ident, api.ContainerUpdate{Name: &name})
	return err
}

// Act asks for one of the verbs that are POSTed: start, stop, reboot, pause,
// unpause, kill, rebuild and the like, with its parameters.
func (c *Client) Act(ctx context.Context, ident, verb string, parameters url.Values) error {
	return c.do(ctx, call{method: http.MethodPost, path: item(ident) + "/" + verb, query: parameters}, nil)
}

// Logs returns what a container wrote.
func (c *Client) Logs(ctx context.Context, ident string, q url.Values) (string, error) {
	var text string
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/logs", query: q}, &text)
	return text, err
}

// Execute runs a command in a container to its end. The server splits command as a
// shell splits words.
func (c *Client) Execute(ctx context.Context, ident, command string) (api.ExecuteResult, error) {
	var result api.ExecuteResult
	q := url.Values{"command": {command}, "run": {"true"}, "interactive": {"false"}}
	err := c.do(ctx, call{method: http.MethodPost, path: item(ident) + "/execute", query: q}, &result)
	return result, err
}

// Top lists the processes of a container; psArgs are arguments for ps.
func (c *Client) Top(ctx context.Context, ident, psArgs string) (api.ProcessTable, error) {
	var table api.ProcessTable
	q := url.Values{}
	if psArgs != "" {
		q.Set("ps_args", psArgs)
	}
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/top", query: q}, &table)
	return table, err
}

// Stats samples what a container uses.
func (c *Client) Stats(ctx context.Context, ident string) (api.Stats, error) {
	var stats api.Stats
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/stats"}, &stats)
	return stats, err
}

// Actions lists what was asked of a container, newest first.
func (c *Client) Actions(ctx context.Context, ident string) ([]api.Action, error) {
	var list api.ActionList
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/container_actions"}, &list)
	return list.Actions, err
}

// Action returns one request on a container with its events.
func (c *Client) Action(ctx context.Context, ident, requestID string) (api.Action, error) {
	var action api.Action
	err := c.do(ctx, call{method: http.MethodGet, path: item(ident) + "/container_actions/" + url.PathEscape(requestID)}, &action)
	return action, err
}

// Raw makes a call that this package has no method for and returns the answer's JSON.
func (c *Client) Raw(ctx context.Context, method, path string, query url.Values, body any) (json.RawMessage, error) {
	var answer json.RawMessage
	err := c.do(ctx, call{method: method, path: path, query: query, body: body}, &answer)
	return answer, err
}

func item(ident string) string { return "/containers/" + url.PathEscape(ident) }

// Commit asks for an image of a container and returns the uuid that it will have.
func (c *Client) Commit(ctx context.Context, ident, repository, tag string) (string, error) {
	q := url.Values{"repository": {repository}}
	if tag != "" {
		q.Set("tag", tag)
	}
	var made api.CommitResult
	err := c.do(ctx, call{method: http.MethodPost, path: item(ident) + "/commit", query: q}, &made)
	return made.UUID, err
}
