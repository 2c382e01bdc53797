package wire

import (
	"fmt"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

func fromNic(n domain.Nic) *linkv1.Nic {
	return &linkv1.Nic{
		PortId: n.PortID, NetworkId: n.NetworkID, Mac: n.MAC, Mtu: int64(n.MTU),
		Addresses: each(n.Addresses, fromNicAddress), Routes: each(n.Routes, fromRoute),
		Dns: n.DNS, DnsSearch: n.DNSSearch, Preserve: n.Preserve,
		Binding:    &linkv1.Binding{Type: n.Binding.Type, Bridge: n.Binding.Bridge, Details: n.Binding.Details},
		Generation: n.Generation, Ready: n.Ready, Groups: n.Groups,
		Index: int64(n.Index), Rules: each(n.Rules, fromRule),
	}
}

func toNic(m *linkv1.Nic) (domain.Nic, error) {
	addresses, err := tryEach(m.GetAddresses(), toNicAddress)
	if err != nil {
		return domain.Nic{}, fmt.Errorf("read addresses of port %s: %w", m.GetPortId(), err)
	}
	routes, err := tryEach(m.GetRoutes(), toRoute)
	if err != nil {
		return domain.Nic{}, fmt.Errorf("read routes of port %s: %w", m.GetPortId(), err)
	}
	rules, err := tryEach(m.GetRules(), toRule)
	if err != nil {
		return domain.Nic{}, fmt.Errorf("read rules of port %s: %w", m.GetPortId(), err)
	}
	b := m.GetBinding()
	return domain.Nic{
		PortID: m.GetPortId(), NetworkID: m.GetNetworkId(), MAC: m.GetMac(), MTU: int(m.GetMtu()),
		Addresses: addresses, Routes: routes,
		DNS: m.GetDns(), DNSSearch: m.GetDnsSearch(), Preserve: m.GetPreserve(),
		Binding:    domain.Binding{Type: b.GetType(), Bridge: b.GetBridge(), Details: b.GetDetails()},
		Generation: m.GetGeneration(), Ready: m.GetReady(), Groups: m.GetGroups(),
		Index: int(m.GetIndex()), Rules: rules,
	}, nil
}

func fromRule(r domain.GroupRule) *linkv1.GroupRule {
	return &linkv1.GroupRule{
		Egress: r.Egress, Ipv6: r.IPv6, Protocol: r.Protocol, PortMin: int64(r.PortMin), PortMax: int64(r.PortMax),
		RemotePrefix: fromPrefix(r.RemotePrefix), RemoteGroup: r.RemoteGroup,
	}
}

func toRule(m *linkv1.GroupRule) (domain.GroupRule, error) {
	remote, err := toPrefix(m.GetRemotePrefix())
	return domain.GroupRule{
		Egress: m.GetEgress(), IPv6: m.GetIpv6(), Protocol: m.GetProtocol(),
		PortMin: int(m.GetPortMin()), PortMax: int(m.GetPortMax()),
		RemotePrefix: remote, RemoteGroup: m.GetRemoteGroup(),
	}, err
}

func fromNicAddress(a domain.NicAddress) *linkv1.NicAddress {
	return &linkv1.NicAddress{
		SubnetId: a.SubnetID, Addr: fromAddr(a.Addr), Prefix: fromPrefix(a.Prefix), Gateway: fromAddr(a.Gateway),
	}
}

func toNicAddress(m *linkv1.NicAddress) (domain.NicAddress, error) {
	addr, err := toAddr(m.GetAddr())
	if err != nil {
		return domain.NicAddress{}, err
	}
	prefix, err := toPrefix(m.GetPrefix())
	if err != nil {
		return domain.NicAddress{}, err
	}
	gateway, err := toAddr(m.GetGateway())
	if err != nil {
		return domain.NicAddress{}, err
	}
	return domain.NicAddress{SubnetID: m.GetSubnetId(), Addr: addr, Prefix: prefix, Gateway: gateway}, nil
}

func fromRoute(r domain.Route) *linkv1.Route {
	return &linkv1.Route{Destination: fromPrefix(r.Destination), Via: fromAddr(r.Via)}
}

func toRoute(m *linkv1.Route) (domain.Route, error) {
	destination, err := toPrefix(m.GetDestination())
	if err != nil {
		return domain.Route{}, err
	}
	via, err := toAddr(m.GetVia())
	if err != nil {
		return domain.Route{}, err
	}
	return domain.Route{Destination: destination, Via: via}, nil
}
