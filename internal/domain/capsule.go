package domain

// Capsule is a group of containers that share one sandbox. Group is its own row:
// name, labels, restart policy, status and addresses of the whole; its Spec's CPU
// and memory are what the members ask for together.
type Capsule struct {
	Group   Container
	Members []Container
	Inits   []Container // run to their end, one by one, before the members start
}

// NewCapsule puts a capsule together from its group and those of rows that belong
// to it, in their order.
func NewCapsule(group Container, rows []Container) Capsule {
	c := Capsule{Group: group}
	for _, row := range rows {
		switch {
		case row.CapsuleID != group.ID:
		case row.Kind == KindInit:
			c.Inits = append(c.Inits, row)
		case row.Kind == KindMember:
			c.Members = append(c.Members, row)
		}
	}
	return c
}

// Claim is what c counts against a quota: its members. Init containers run before
// them and count nothing.
func (c Capsule) Claim() Claim {
	var sum Claim
	for i := range c.Members {
		one := ClaimOf(c.Members[i].Spec)
		sum.Containers += one.Containers
		sum.CPU += one.CPU
		sum.MemoryMB += one.MemoryMB
		sum.DiskGB += one.DiskGB
	}
	return sum
}

// Each calls fn with every container of c, init containers first, as they run.
func (c *Capsule) Each(fn func(*Container)) {
	for _, part := range [][]Container{c.Inits, c.Members} {
		for i := range part {
			fn(&part[i])
		}
	}
}
