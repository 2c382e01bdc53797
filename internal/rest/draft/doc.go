// Package draft reads the arguments of a request, once their schema let them
// through, into the domain's words. It judges only what no schema can say.
package draft
