package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-zun/zun/api"
)

// ContainerNetworks lists the ports of a container.
func (c *Client) ContainerNetworks(ctx context.Context, ident string) ([]api.ContainerNetwork, error) {
	var list api.ContainerNetworks
	err := c.do(ctx, call{method: http.MethodGet, path: "/containers/" + url.PathEscape(ident) + "/network_list"}, &list)
	return list.Networks, err
}
