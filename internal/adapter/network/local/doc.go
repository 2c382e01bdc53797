// Package local is the cloud half of the built-in networks: every project has its own
// network, made on first use, with one IPv4 and one IPv6 subnet cut from two pools, and
// ports are leases of addresses in the store. It serves control.Networking where no
// Neutron is at hand.
//
// The store gives each network a small number, and everything else follows from that:
// its subnets and the name of its bridge. The pools begin at a place that the deployment's
// id chooses, so that two deployments on one machine seldom meet; for the same reason
// they must not be changed while networks exist.
package local
