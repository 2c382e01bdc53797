package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-zun/zun/api"
)

// PullImage asks a host, by name or uuid, to pull an image.
func (c *Client) PullImage(ctx context.Context, reference, host string) (api.Image, error) {
	var image api.Image
	err := c.do(ctx, call{method: http.MethodPost, path: "/images", body: api.ImagePull{Repo: reference, Host: host}}, &image)
	return image, err
}

// Images lists the records of pulls, all pages of them.
func (c *Client) Images(ctx context.Context, o ListOptions) ([]api.Image, error) {
	return collect(o, func(q url.Values) (page[api.Image], error) {
		var list api.ImageList
		err := c.do(ctx, call{method: http.MethodGet, path: "/images", query: q}, &list)
		return page[api.Image]{list.Images, link(list.Next)}, err
	})
}

// Image returns the record of one pull.
func (c *Client) Image(ctx context.Context, uuid string) (api.Image, error) {
	var image api.Image
	err := c.do(ctx, call{method: http.MethodGet, path: "/images/" + url.PathEscape(uuid)}, &image)
	return image, err
}

// DeleteImage drops the record of a pull and the image from its host.
func (c *Client) DeleteImage(ctx context.Context, uuid string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/images/" + url.PathEscape(uuid)}, nil)
}

// SearchImages asks a registry; driver may be empty, exact keeps equal names.
func (c *Client) SearchImages(ctx context.Context, term, driver string, exact bool) ([]api.FoundImage, error) {
	q := url.Values{"exact_match": {strconv.FormatBool(exact)}}
	if driver != "" {
		q.Set("image_driver", driver)
	}
	var found []api.FoundImage
	err := c.do(ctx, call{method: http.MethodGet, path: "/images/" + url.PathEscape(term) + "/search", query: q}, &found)
	return found, err
}
