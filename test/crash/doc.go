// Package crash proves that a process of this service may be killed at any moment.
// It enumerates the named windows of package failpoint; for each it runs a
// container's whole life with a process armed to die just before and just after the
// window's effect, starts that process again, and holds the outcome against that of
// an undisturbed life: same statuses, nothing left behind on the host or in the
// database, and a bystander that never noticed.
package crash
