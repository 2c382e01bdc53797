// Package domain is the ground floor: the nouns of the service and the rules
// that bind them. It does no I/O, reads no clock and knows no wire or driver
// word, so every rule here can be tested with a plain table.
package domain
