// Package script tells stories of command-line clients as txtar scripts: those of
// Debian, unchanged, and our own, against a running service on the fake engine.
package script
