// Package fuzz holds a whole service against a model while it is mistreated. A seed
// draws thousands of requests of several clients and projects, and misfortunes placed
// by the number of the request: services killed, frozen or ended in a named window,
// engines that fail on cue, processes and objects that vanish behind the service's
// back, a database that is locked or hangs up. When the storm is over everything must
// come to rest within a bound, and then the answers of the API, the rows, the engines
// and the kernels must tell one and the same legal story.
//
// A seed that once failed stands in the file seeds with what it found, and is run for
// every change. The log of a failed run is kept; its path is printed.
package fuzz
