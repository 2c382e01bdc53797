// Package replica is the way to control from outside of it: agents and console
// doors know the addresses of several replicas and ask one after the other.
package replica
