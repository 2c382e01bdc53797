// Package api holds what travels on the wire of the Containers service: the
// types of every resource, the fault body, the version documents, and the history
// of microversions as data. It needs nothing but the standard library, so that
// clients can depend on it.
package api
