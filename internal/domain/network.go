package domain

import "net/netip"

// NetRequest is one entry of the request's nets: a network or a port by name or
// id, with optional fixed addresses.
type NetRequest struct {
	Network string
	Port    string
	FixedV4 string
	FixedV6 string
}

// NetChoice is a NetRequest whose names were resolved with the user's token.
type NetChoice struct {
	NetworkID string
	PortID    string // set: a port of the user's, kept at delete
	FixedIPs  []netip.Addr
	Preserve  bool
}

// Nic is one interface of a sandbox: a port of the network service as the host
// must plug it. It is complete: the host asks nobody for more.
type Nic struct {
	PortID string
	// Index is the number in the interface's name inside: eth0, eth1 and so on.
	Index      int
	NetworkID  string
	MAC        string
	MTU        int
	Addresses  []NicAddress
	Routes     []Route
	DNS        []string
	DNSSearch  []string
	Preserve   bool // the user's own port: unbound, not deleted
	Binding    Binding
	Generation int64 // counts plugs of this port
	Ready      bool  // the network service reported the port active
	// Groups are the ids of the security groups that the port is in, and Rules all of
	// theirs. A port in no group is not filtered.
	Groups []string
	Rules  []GroupRule
}

// NicAddress is one address of a Nic within its subnet.
type NicAddress struct {
	SubnetID string
	Addr     netip.Addr
	Prefix   netip.Prefix
	Gateway  netip.Addr // zero: none
}

// Route is one more route inside the sandbox.
type Route struct {
	Destination netip.Prefix
	Via         netip.Addr
}

// Binding says how the host end is plugged. Type is "local" for the built-in
// networks, else the network service's vif_type ("ovs", "bridge").
type Binding struct {
	Type    string
	Bridge  string
	Details map[string]string
}

// LocalNetwork is a project's network in laptop mode; the store keeps it.
type LocalNetwork struct {
	ID        string
	ProjectID string
	Name      string
	Index     int64 // small unique number that names the bridge and picks the subnets
	MTU       int
	Subnets   []LocalSubnet
}

// LocalSubnet is one address range of a LocalNetwork.
type LocalSubnet struct {
	ID      string
	Prefix  netip.Prefix
	Gateway netip.Addr
}

// LocalPort is a leased set of addresses on a LocalNetwork.
type LocalPort struct {
	ID        string
	NetworkID string
	ProjectID string
	Container ContainerID
	MAC       string
	Addresses []NicAddress
}

// BindingLocal is the binding type of the built-in networks. DetailIndex is the key in
// its details of LocalNetwork.Index in base 36, by which a host names the bridge.
const (
	BindingLocal = "local"
	DetailIndex  = "index"
)
