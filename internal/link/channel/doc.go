// Package channel is the gRPC of the link, the same for both sides: who may call
// what, how faults leave a server, how long silence lasts and how much waits in
// a buffer. ctl and node build their services on it.
package channel
