// Package plumb is the host half of networking: it plugs ports into the network
// namespaces of sandboxes and keeps this host's bridges, address translation and
// isolation fit for them. It serves the port agent.Nets and asks nobody: a
// domain.Nic is complete.
//
// # What a port is made of
//
// A veth pair: "tap" and the first eleven characters of the port's id on the host,
// eth0, eth1, ... in the sandbox. How the host end is wired is a binding, one per
// binding type, in the table of binding.go. Every name that is shared by the ports
// of a deployment holds a short hash of the deployment's id, so several deployments
// can stand on one host.
//
// # Who may reach whom
//
// Ports of one local network reach each other as their security groups let them
// (room groups), at the addresses of their ports and no others; a port in no group is not
// filtered. Forwarding into a local network from anywhere else is dropped, but for answers. What leaves for the world is masqueraded,
// IPv4 and IPv6. Of the host itself a container reaches the gateway of its own
// network by ICMP echo, and the services that Options.HostAccess opens on that
// gateway; everything else on the host is dropped. A port may only send with its own
// MAC and addresses and without tags, cannot advertise routes, and can send nothing at all
// before its rules stand, since the link's group marks it from the moment it exists. The host
// takes nothing from a port's link past its bridge.
//
// # Other firewalls
//
// An accept in our table does not undo another's drop. Where a FORWARD chain of nftables
// (also iptables over it) drops by policy, as Docker's does, accepts for our bridges are put
// in DOCKER-USER, or in FORWARD if there is none; Sync puts them there again. What goes to
// Docker's own bridges is left to its rules.
// Legacy iptables cannot be changed from here: that is logged once, with the remedy.
//
// # What survives a crash
//
// Nothing is remembered: bridges, links and rules carry their owner, and Sync makes
// them fit again from what it finds. Teardown removes everything of the deployment.
// Only the forwarding switches of uplinks stay on, because another program may have
// come to rely on them.
package plumb
