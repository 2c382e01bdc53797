// Package client is the Go SDK of the containers service. A Client speaks one
// microversion, which it negotiates with the server unless one is named, and
// takes its token and endpoint from an Authenticator. Every call takes a context
// and returns an *Error for what the server refused.
package client
