package view

import (
	"time"

	"github.com/go-zun/zun/api"
)

// Base is where clients reach the API, without a slash at the end:
// "https://cloud.example/container".
type Base string

// Links are the addresses of one item of a collection.
func (b Base) Links(collection, id string) []api.Link {
	return []api.Link{
		{Href: b.Item(collection, id), Rel: "self"},
		{Href: string(b) + "/" + collection + "/" + id, Rel: "bookmark"},
	}
}

// Item is the address of one item.
func (b Base) Item(collection, id string) string { return b.Collection(collection) + "/" + id }

// Collection is the address of a collection.
func (b Base) Collection(collection string) string { return string(b) + "/v1/" + collection }

func (b Base) both(collection string) []api.Link {
	return []api.Link{{Href: b.Collection(collection) + "/", Rel: "self"}, {Href: string(b) + "/" + collection + "/", Rel: "bookmark"}}
}

// documentation is where the version document points readers.
const documentation = "https://docs.openstack.org/developer/zun/dev/api-spec-v1.html"

// Root is the document of GET /.
func Root(b Base) api.Root {
	entry := api.VersionEntry{
		ID: "v1", Status: "CURRENT", MinVersion: api.MinVersion.String(), MaxVersion: api.MaxVersion.String(),
		Links: []api.Link{{Href: string(b) + "/v1/", Rel: "self"}},
	}
	return api.Root{
		Name:           "OpenStack Zun API",
		Description:    "Zun is an OpenStack project which aims to provide containers service.",
		Versions:       []api.VersionEntry{entry},
		DefaultVersion: entry,
	}
}

// V1 is the document of GET /v1.
func V1(b Base) api.V1 {
	return api.V1{
		ID:         "v1",
		MediaTypes: []api.MediaType{{Base: "application/json", Type: "application/vnd.openstack.zun.v1+json"}},
		Links: []api.Link{
			{Href: string(b) + "/v1/", Rel: "self"},
			{Href: documentation, Rel: "describedby", Type: "text/html"},
		},
		Services: b.both("services"), Containers: b.both("containers"), Images: b.both("images"),
		Networks: b.both("networks"), Hosts: b.both("hosts"), Capsules: b.both("capsules"),
		AvailabilityZones: b.both("availability_zones"), Quotas: b.both("quotas"),
		QuotaClasses: b.both("quota_classes"), Registries: b.both("registries"),
	}
}

// spaced is the time format of containers and capsules; the fraction is left out
// where it is zero.
func spaced(t time.Time) string {
	if t.Nanosecond()/int(time.Microsecond) == 0 {
		return t.UTC().Format("2006-01-02 15:04:05")
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000")
}

// joined is the time format of services and action records.
func joined(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") }

func optionalTime(t time.Time, format func(time.Time) string) *string {
	if t.IsZero() {
		return nil
	}
	text := format(t)
	return &text
}

// text is nil for what is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func full[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

func fullMap[V any](items map[string]V) map[string]V {
	if items == nil {
		return map[string]V{}
	}
	return items
}
