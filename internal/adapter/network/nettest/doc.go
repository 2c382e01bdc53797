// Package nettest holds what every network driver must do, whichever technology is
// behind it: RunNetworking for the cloud half (control.Networking), RunNets for the host
// half (agent.Nets). Drivers run the suites from their own tests.
package nettest
