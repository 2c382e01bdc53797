// Package script tells stories of command-line clients as txtar scripts: those of
// Debian, unchanged, and our own, against a running service on the fake engine. Each of
// Debian's commands runs as a process of its own once, and within a resident one else.
package script
