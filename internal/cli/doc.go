// Package cli is the zun command: the original's commands, options and columns
// over the public client, with the output forms of a modern command line. It
// reads credentials as every OpenStack client does and keeps nothing.
package cli
