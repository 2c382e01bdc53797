// Package console drives consoles from outside: real clients in a pseudo-terminal,
// against zun-api, zun-compute and zun-wsproxy as processes of their own on a real
// engine.
package console
