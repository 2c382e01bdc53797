package rest

import (
	"slices"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/rest/view"
)

func listServices(c *call) (any, error) {
	hosts, err := c.Fleet.Hosts(c.ctx(), control.Page{})
	if err != nil {
		return nil, err
	}
	now, downAfter, err := c.Fleet.Liveness(c.ctx())
	if err != nil {
		return nil, err
	}
	list := api.ServiceList{Services: make([]api.Service, 0, len(hosts))}
	for i, h := range hosts {
		list.Services = append(list.Services, view.Service(h, int64(i+1), now, downAfter))
	}
	return list, nil
}

func (c *call) switchService(change control.ServiceChange) (api.ServiceState, error) {
	h, err := c.Fleet.SetService(c.ctx(), c.args.Text("host"), c.args.Text("binary"), change)
	return api.ServiceState{Host: h.Name, Binary: h.Binary}, err
}

func enableService(c *call) (any, error) {
	off, none := false, ""
	state, err := c.switchService(control.ServiceChange{Disabled: &off, DisabledReason: &none})
	if err != nil {
		return nil, err
	}
	state.Disabled, state.DisabledReason = &off, api.Shown[string](nil)
	return api.ServiceSwitch{Service: state}, nil
}

func disableService(c *call) (any, error) {
	on, reason := true, c.args.Text("disabled_reason")
	state, err := c.switchService(control.ServiceChange{Disabled: &on, DisabledReason: &reason})
	if err != nil {
		return nil, err
	}
	state.Disabled, state.DisabledReason = &on, api.Shown(c.args.OptionalText("disabled_reason"))
	return api.ServiceSwitch{Service: state}, nil
}

func forceDown(c *call) (any, error) {
	down := c.args.Boolean("forced_down", false)
	state, err := c.switchService(control.ServiceChange{ForcedDown: &down})
	if err != nil {
		return nil, err
	}
	state.ForcedDown = &down
	return api.ServiceSwitch{Service: state}, nil
}

func deleteService(c *call) (any, error) {
	return nil, c.Fleet.DeleteService(c.ctx(), c.args.Text("host"), c.args.Text("binary"))
}

func listHosts(c *call) (any, error) {
	page, err := c.page("hostname")
	if err != nil {
		return nil, err
	}
	hosts, err := c.Fleet.Hosts(c.ctx(), page)
	if err != nil {
		return nil, err
	}
	list := api.HostList{Hosts: make([]api.Host, 0, len(hosts))}
	for _, h := range hosts {
		list.Hosts = append(list.Hosts, view.Host(c.base(), h))
	}
	if len(hosts) > 0 {
		list.Next = c.next("hosts", page, len(hosts), hosts[len(hosts)-1].ID)
	}
	return list, nil
}

func showHost(c *call) (any, error) {
	h, err := c.Fleet.Host(c.ctx(), c.r.PathValue("ident"))
	if err != nil {
		return nil, err
	}
	return view.Host(c.base(), h), nil
}

// listZones pages over names: the marker is a zone's name, and there is no next
// link, since a zone has no uuid to go on from.
func listZones(c *call) (any, error) {
	page, err := c.page("availability_zone")
	if err != nil {
		return nil, err
	}
	zones, err := c.Fleet.Zones(c.ctx())
	if err != nil {
		return nil, err
	}
	if page.Desc {
		slices.Reverse(zones)
	}
	if i := slices.Index(zones, page.Marker); page.Marker != "" && i >= 0 {
		zones = zones[i+1:]
	}
	list := api.ZoneList{Zones: []api.Zone{}}
	for _, z := range zones[:min(len(zones), page.Limit)] {
		list.Zones = append(list.Zones, api.Zone{AvailabilityZone: z})
	}
	return list, nil
}

func listAdmissions(c *call) (any, error) {
	all, err := c.Fleet.Admissions(c.ctx())
	if err != nil {
		return nil, err
	}
	list := api.AdmissionList{Admissions: make([]api.Admission, 0, len(all))}
	for _, a := range all {
		list.Admissions = append(list.Admissions, view.Admission(a))
	}
	return list, nil
}

func revokeAdmission(c *call) (any, error) {
	return nil, c.Fleet.Revoke(c.ctx(), c.r.PathValue("ident"))
}
