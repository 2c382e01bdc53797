// Package deployment runs a whole service as processes of their own, for tests that
// kill them: control's replicas, and hosts that each have a network namespace, with
// the real link between them. It also looks at what they hold from outside: the
// engine's objects, the kernel's, and the rows.
package deployment
