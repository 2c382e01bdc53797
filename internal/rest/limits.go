package rest

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
	"github.com/go-zun/zun/internal/rest/view"
)

func showQuota(c *call) (any, error) {
	project := c.r.PathValue("project")
	limits, err := c.Limits.Quota(c.ctx(), project)
	if err != nil {
		return nil, err
	}
	asked, given := c.args["usages"]
	if !given || asked == "" || !draft.Boolean(asked, true) {
		return view.Quota(limits), nil
	}
	used, err := c.Limits.Usage(c.ctx(), project)
	if err != nil {
		return nil, err
	}
	return view.QuotaUsage(limits, used), nil
}

func defaultQuota(c *call) (any, error) { return quota(c.Limits.Defaults(c.ctx())) }

func updateQuota(c *call) (any, error) {
	return quota(c.Limits.SetQuota(c.ctx(), c.r.PathValue("project"), c.limits()))
}

func deleteQuota(c *call) (any, error) {
	return nil, c.Limits.DeleteQuota(c.ctx(), c.r.PathValue("project"))
}

func showClass(c *call) (any, error) {
	return quota(c.Limits.Class(c.ctx(), c.r.PathValue("name")))
}

func updateClass(c *call) (any, error) {
	return quota(c.Limits.SetClass(c.ctx(), c.r.PathValue("name"), c.limits()))
}

func quota(limits domain.Quota, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return view.Quota(limits), nil
}

// limits reads what a PUT names.
func (c *call) limits() map[domain.Resource]int64 {
	named := map[domain.Resource]int64{}
	for _, resource := range domain.Resources() {
		if n, given := c.args.Whole(string(resource)); given {
			named[resource] = n
		}
	}
	return named
}
