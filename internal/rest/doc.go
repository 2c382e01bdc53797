// Package rest is the front door: the whole API as a table of routes, the
// negotiation of microversions, the strict reading of requests, the views, and
// the one map from fault kinds to HTTP statuses. It decides nothing else.
package rest
