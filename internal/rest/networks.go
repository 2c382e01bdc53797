package rest

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/view"
)

// book returns the networks, or the fault that there are none to look after.
func (c *call) book() (Networks, error) {
	if c.Networks == nil {
		return nil, domain.NewFault(domain.Unsupported, "operation-not-supported", "The configured network driver makes its networks itself.")
	}
	return c.Networks, nil
}

// createNetwork makes a network called name. One named by neutron_net_id must be
// there already: hosts make their side of it on demand, so there is nothing to do.
func createNetwork(c *call) (any, error) {
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	var network domain.LocalNetwork
	if id := c.args.Text("neutron_net_id"); id != "" {
		network, err = book.Network(c.ctx(), c.actor, id)
	} else {
		network, err = book.CreateNetwork(c.ctx(), c.actor, c.args.Text("name"))
	}
	if err != nil {
		return nil, err
	}
	return view.Network(network, c.actor.UserID), nil
}

func listNetworkBook(c *call) (any, error) {
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	all, err := c.across("network:get_all_all_projects")
	if err != nil {
		return nil, err
	}
	found, err := book.Networks(c.ctx(), c.actor, all)
	if err != nil {
		return nil, err
	}
	list := api.NetworkList{Networks: make([]api.Network, 0, len(found))}
	for _, n := range found {
		list.Networks = append(list.Networks, view.Network(n, ""))
	}
	return list, nil
}

func showNetwork(c *call) (any, error) {
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	network, err := book.Network(c.ctx(), c.actor, c.r.PathValue("ident"))
	if err != nil {
		return nil, err
	}
	return view.Network(network, ""), nil
}

func deleteNetwork(c *call) (any, error) {
	book, err := c.book()
	if err != nil {
		return nil, err
	}
	return nil, book.DeleteNetwork(c.ctx(), c.actor, c.r.PathValue("ident"))
}
