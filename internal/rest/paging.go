package rest

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
)

// pageWords are the query keys of every list. The last two are accepted and mean
// nothing: they were inner arguments that clients could always set.
func pageWords() []string {
	return []string{"limit", "marker", "sort_key", "sort_dir", "all_projects", "resource_url", "expand"}
}

// page reads the paging of a list whose default order is by sortKey.
func (c *call) page(sortKey string) (control.Page, error) {
	p := control.Page{Limit: c.Options.MaxLimit, Marker: c.args.Text("marker"), SortKey: sortKey}
	if _, given := c.args["limit"]; given {
		limit, ok := c.args.Whole("limit")
		if !ok || limit <= 0 {
			return p, domain.NewFault(domain.Invalid, "invalid-value", "Limit must be positive integer")
		}
		p.Limit = int(min(limit, int64(c.Options.MaxLimit)))
	}
	if key := c.args.Text("sort_key"); key != "" {
		p.SortKey = key
	}
	switch dir := c.args.Text("sort_dir"); dir {
	case "", "asc":
	case "desc":
		p.Desc = true
	default:
		return p, domain.NewFault(domain.Invalid, "invalid-value", "Invalid sort direction: %s. Acceptable values are 'asc' or 'desc'", dir)
	}
	return p, nil
}

// filters reads the query keys that are not about paging; one that is not in
// allowed is an Invalid fault.
func (c *call) filters(allowed ...string) (map[string]string, error) {
	found := map[string]string{}
	var unknown []string
	for name, value := range c.args {
		switch {
		case slices.Contains(allowed, name):
			found[name] = draft.PlainText(value)
		case !slices.Contains(pageWords(), name):
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "Unknown parameters: %s", strings.Join(unknown, ", "))
	}
	return found, nil
}

// across reads all_projects of a list and judges its rule.
func (c *call) across(rule string) (bool, error) {
	all, err := draft.StrictBoolean(c.args["all_projects"])
	if err != nil || !all {
		return false, err
	}
	return true, c.allow(rule, c.self())
}

// next is the address of the page after one of n items that ended with last; nil
// if the page was not full. Filters are kept.
func (c *call) next(collection string, p control.Page, n int, last string) *string {
	if n == 0 || n < p.Limit {
		return nil
	}
	query := url.Values{}
	for name, values := range c.r.URL.Query() {
		if name != "resource_url" && name != "expand" {
			query[name] = values
		}
	}
	query.Set("sort_key", p.SortKey)
	query.Set("sort_dir", "asc")
	if p.Desc {
		query.Set("sort_dir", "desc")
	}
	query.Set("limit", strconv.Itoa(p.Limit))
	query.Set("marker", last)
	address := c.base().Collection(collection) + "?" + query.Encode()
	return &address
}
