package rest

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/view"
)

func listRegistries(c *call) (any, error) {
	all, err := c.across("registry:get_all_all_projects")
	if err != nil {
		return nil, err
	}
	given, err := c.filters("name", "domain", "username", "project_id", "user_id")
	if err != nil {
		return nil, err
	}
	page, err := c.page("id")
	if err != nil {
		return nil, err
	}
	rows, err := c.Registries.Registries(c.ctx(), c.actor, all, given, page)
	if err != nil {
		return nil, err
	}
	list := api.RegistryList{Registries: make([]api.Registry, 0, len(rows))}
	for _, row := range rows {
		list.Registries = append(list.Registries, view.Registry(row))
	}
	if len(rows) > 0 {
		list.Next = c.next("registries", page, len(rows), rows[len(rows)-1].ID)
	}
	return list, nil
}

// wrapped is the view of r under its key, with links.
func (c *call) wrapped(r domain.Registry) api.RegistryItem {
	item := api.RegistryItem{Registry: view.Registry(r)}
	item.Registry.Links = c.base().Links("registries", r.ID)
	return item
}

// registryFields reads the members under the wrapper key; nil was not named.
func (c *call) registryFields() control.RegistryChange {
	r := c.args.Part("registry")
	return control.RegistryChange{Name: r.OptionalText("name"), Domain: r.OptionalText("domain"), Username: r.OptionalText("username"), Password: r.OptionalText("password")}
}

func createRegistry(c *call) (any, error) {
	fields := c.registryFields()
	value := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	row := domain.Registry{Name: value(fields.Name), Domain: value(fields.Domain), Username: value(fields.Username)}
	row, err := c.Registries.CreateRegistry(c.ctx(), c.actor, row, value(fields.Password))
	if err != nil {
		return nil, err
	}
	c.located("registries", row.ID)
	return c.wrapped(row), nil
}

func showRegistry(c *call) (any, error) { return c.wrapped(c.registry), nil }

func updateRegistry(c *call) (any, error) {
	row, err := c.Registries.UpdateRegistry(c.ctx(), c.actor, c.registry.ID, c.registryFields())
	if err != nil {
		return nil, err
	}
	return c.wrapped(row), nil
}

func deleteRegistry(c *call) (any, error) {
	return nil, c.Registries.DeleteRegistry(c.ctx(), c.actor, c.registry.ID)
}
