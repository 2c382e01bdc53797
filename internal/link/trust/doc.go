// Package trust holds what the two sides of the link believe: the deployment's
// own certificate authority, the identities in its certificates, join tokens,
// and the file in which a host keeps its identity. It does no network I/O.
package trust
