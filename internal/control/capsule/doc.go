// Package capsule holds the use cases on capsules: groups of containers that share a
// sandbox. The group's row is what is placed, networked and deleted; its members
// follow it.
package capsule
