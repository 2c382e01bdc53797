package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-zun/zun/api"
)

// CreateCapsule asks for a capsule; template is any value whose JSON is a template.
func (c *Client) CreateCapsule(ctx context.Context, template any) (api.Capsule, error) {
	var capsule api.Capsule
	err := c.do(ctx, call{method: http.MethodPost, path: "/capsules", body: api.CapsuleCreate{Template: template}}, &capsule)
	return capsule, err
}

// Capsules lists capsules, all pages of them.
func (c *Client) Capsules(ctx context.Context, o ListOptions) ([]api.Capsule, error) {
	return collect(o, func(q url.Values) (page[api.Capsule], error) {
		var list api.CapsuleList
		err := c.do(ctx, call{method: http.MethodGet, path: "/capsules", query: q}, &list)
		return page[api.Capsule]{list.Capsules, link(list.Next)}, err
	})
}

// Capsule returns one capsule by uuid or name.
func (c *Client) Capsule(ctx context.Context, ident string) (api.Capsule, error) {
	var capsule api.Capsule
	err := c.do(ctx, call{method: http.MethodGet, path: "/capsules/" + url.PathEscape(ident)}, &capsule)
	return capsule, err
}

// DeleteCapsule asks for the end of a capsule with all its containers.
func (c *Client) DeleteCapsule(ctx context.Context, ident string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/capsules/" + url.PathEscape(ident)}, nil)
}
