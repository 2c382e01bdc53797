package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-zun/zun/api"
)

// Services lists the services.
func (c *Client) Services(ctx context.Context) ([]api.Service, error) {
	var list api.ServiceList
	err := c.do(ctx, call{method: http.MethodGet, path: "/services"}, &list)
	return list.Services, err
}

// EnableService lets a host take new containers.
func (c *Client) EnableService(ctx context.Context, host, binary string) (api.ServiceState, error) {
	return c.switchService(ctx, "enable", url.Values{"host": {host}, "binary": {binary}})
}

// DisableService keeps new containers from a host; reason may be empty.
func (c *Client) DisableService(ctx context.Context, host, binary, reason string) (api.ServiceState, error) {
	q := url.Values{"host": {host}, "binary": {binary}}
	if reason != "" {
		q.Set("disabled_reason", reason)
	}
	return c.switchService(ctx, "disable", q)
}

// ForceDownService says that a host is down, or no longer.
func (c *Client) ForceDownService(ctx context.Context, host, binary string, down bool) (api.ServiceState, error) {
	return c.switchService(ctx, "force_down", url.Values{"host": {host}, "binary": {binary}, "forced_down": {strconv.FormatBool(down)}})
}

func (c *Client) switchService(ctx context.Context, verb string, q url.Values) (api.ServiceState, error) {
	var answer api.ServiceSwitch
	err := c.do(ctx, call{method: http.MethodPut, path: "/services/" + verb, query: q}, &answer)
	return answer.Service, err
}

// DeleteService forgets a service.
func (c *Client) DeleteService(ctx context.Context, host, binary string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/services", query: url.Values{"host": {host}, "binary": {binary}}}, nil)
}

// Hosts lists the hosts.
func (c *Client) Hosts(ctx context.Context, o ListOptions) ([]api.Host, error) {
	return collect(o, func(q url.Values) (page[api.Host], error) {
		var list api.HostList
		err := c.do(ctx, call{method: http.MethodGet, path: "/hosts", query: q}, &list)
		return page[api.Host]{list.Hosts, link(list.Next)}, err
	})
}

// Host returns one host by uuid or name.
func (c *Client) Host(ctx context.Context, ident string) (api.Host, error) {
	var host api.Host
	err := c.do(ctx, call{method: http.MethodGet, path: "/hosts/" + url.PathEscape(ident)}, &host)
	return host, err
}

// Zones lists the availability zones.
func (c *Client) Zones(ctx context.Context) ([]api.Zone, error) {
	var list api.ZoneList
	err := c.do(ctx, call{method: http.MethodGet, path: "/availability_zones"}, &list)
	return list.Zones, err
}

// Quota returns the limits of a project.
func (c *Client) Quota(ctx context.Context, project string) (api.Quota, error) {
	return c.limits(ctx, http.MethodGet, "/quotas/"+url.PathEscape(project), nil)
}

// QuotaDefaults returns the limits of a project that has none of its own.
func (c *Client) QuotaDefaults(ctx context.Context, project string) (api.Quota, error) {
	return c.limits(ctx, http.MethodGet, "/quotas/"+url.PathEscape(project)+"/defaults", nil)
}

// UpdateQuota changes limits of a project.
func (c *Client) UpdateQuota(ctx context.Context, project string, change api.QuotaUpdate) (api.Quota, error) {
	return c.limits(ctx, http.MethodPut, "/quotas/"+url.PathEscape(project), change)
}

// QuotaClass returns the limits of a class.
func (c *Client) QuotaClass(ctx context.Context, name string) (api.Quota, error) {
	return c.limits(ctx, http.MethodGet, "/quota_classes/"+url.PathEscape(name), nil)
}

// UpdateQuotaClass changes limits of a class.
func (c *Client) UpdateQuotaClass(ctx context.Context, name string, change api.QuotaUpdate) (api.Quota, error) {
	return c.limits(ctx, http.MethodPut, "/quota_classes/"+url.PathEscape(name), change)
}

func (c *Client) limits(ctx context.Context, method, path string, body any) (api.Quota, error) {
	var quota api.Quota
	err := c.do(ctx, call{method: method, path: path, body: body}, &quota)
	return quota, err
}

// QuotaUsage returns the limits of a project with what is in use.
func (c *Client) QuotaUsage(ctx context.Context, project string) (api.QuotaUsage, error) {
	var usage api.QuotaUsage
	err := c.do(ctx, call{method: http.MethodGet, path: "/quotas/" + url.PathEscape(project), query: url.Values{"usages": {"True"}}}, &usage)
	return usage, err
}

// DeleteQuota puts a project back to the defaults.
func (c *Client) DeleteQuota(ctx context.Context, project string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/quotas/" + url.PathEscape(project)}, nil)
}

// Registries lists the registries.
func (c *Client) Registries(ctx context.Context, o ListOptions) ([]api.Registry, error) {
	return collect(o, func(q url.Values) (page[api.Registry], error) {
		var list api.RegistryList
		err := c.do(ctx, call{method: http.MethodGet, path: "/registries", query: q}, &list)
		return page[api.Registry]{list.Registries, link(list.Next)}, err
	})
}

// Registry returns one registry by uuid or name; its password is never told.
func (c *Client) Registry(ctx context.Context, ident string) (api.Registry, error) {
	return c.registry(ctx, http.MethodGet, "/registries/"+url.PathEscape(ident), nil)
}

// CreateRegistry adds a registry; Domain must be given.
func (c *Client) CreateRegistry(ctx context.Context, fields api.RegistryFields) (api.Registry, error) {
	return c.registry(ctx, http.MethodPost, "/registries", api.RegistryWrite{Registry: fields})
}

// UpdateRegistry changes the fields that are given.
func (c *Client) UpdateRegistry(ctx context.Context, ident string, fields api.RegistryFields) (api.Registry, error) {
	return c.registry(ctx, http.MethodPatch, "/registries/"+url.PathEscape(ident), api.RegistryWrite{Registry: fields})
}

func (c *Client) registry(ctx context.Context, method, path string, body any) (api.Registry, error) {
	var item api.RegistryItem
	err := c.do(ctx, call{method: method, path: path, body: body}, &item)
	return item.Registry, err
}

// DeleteRegistry removes a registry that no container refers to.
func (c *Client) DeleteRegistry(ctx context.Context, ident string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/registries/" + url.PathEscape(ident)}, nil)
}

// Admissions lists the hosts and console doors whose certificates are taken, also those
// that were revoked; an extension.
func (c *Client) Admissions(ctx context.Context) ([]api.Admission, error) {
	var list api.AdmissionList
	err := c.do(ctx, call{method: http.MethodGet, path: "/admissions"}, &list)
	return list.Admissions, err
}

// Revoke makes the certificates of a host or a console door good no more, until it joins
// again; an extension. ident is its uuid, or its name where that is one's alone.
func (c *Client) Revoke(ctx context.Context, ident string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: "/admissions/" + url.PathEscape(ident)}, nil)
}
