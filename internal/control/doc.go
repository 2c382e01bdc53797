// Package control is the brain: what the use cases in its rooms are made of. A use case
// validates against the rules of the domain, resolves names with the user's
// token, and commits one transaction of intent; the loops beside it then make
// the intent true through the ports declared here. It knows no driver, no wire
// and no SQL.
package control
