package domain

import "math"

// Negative is what gives c back.
func (c Claim) Negative() Claim {
	return Claim{Containers: -c.Containers, CPU: -c.CPU, MemoryMB: -c.MemoryMB, DiskGB: -c.DiskGB}
}

// Plus is both claims together. CPUs are rounded to the millionths that are kept, so that
// the order of adding makes no difference.
func (c Claim) Plus(other Claim) Claim {
	return Claim{
		Containers: c.Containers + other.Containers, CPU: math.Round((c.CPU+other.CPU)*1e6) / 1e6,
		MemoryMB: c.MemoryMB + other.MemoryMB, DiskGB: c.DiskGB + other.DiskGB,
	}
}

// Growth is what a container needs more when its sizes change from one spec to
// another; it is zero where it shrinks.
func Growth(from, to Spec) Claim {
	return Claim{CPU: max(0, to.CPU-from.CPU), MemoryMB: max(0, to.MemoryMB-from.MemoryMB)}
}

// Updated returns s with what an update or a rebuild asks for. It takes the place of s
// once the action is done, so that one that fails changes nothing.
func (s Spec) Updated(args ActionArgs) Spec {
	if args.Image != "" {
		s.Image, s.OwnImage = args.Image, args.OwnImage
	}
	if args.ImageDriver != "" {
		s.ImageDriver = args.ImageDriver
	}
	if args.CPU != nil {
		s.CPU = *args.CPU
	}
	if args.MemoryMB != nil {
		s.MemoryMB = *args.MemoryMB
	}
	return s
}

// Unlimited is the quota that nothing exceeds.
func Unlimited() Quota {
	return Quota{Containers: -1, CPU: -1, MemoryMB: -1, DiskGB: -1}
}

// With returns q with the limits that are named.
func (q Quota) With(limits map[Resource]int64) Quota {
	for resource, limit := range limits {
		switch resource {
		case ResourceContainers:
			q.Containers = limit
		case ResourceCPU:
			q.CPU = limit
		case ResourceMemory:
			q.MemoryMB = limit
		case ResourceDisk:
			q.DiskGB = limit
		}
	}
	return q
}

// Exceeded returns the resources of which used and more together pass q, in
// alphabetical order.
func (q Quota) Exceeded(used, more Claim) []Resource {
	var over []Resource
	check := func(r Resource, limit int64, used, more float64) {
		if limit >= 0 && more > 0 && used+more > float64(limit) {
			over = append(over, r)
		}
	}
	check(ResourceContainers, q.Containers, float64(used.Containers), float64(more.Containers))
	check(ResourceCPU, q.CPU, used.CPU, more.CPU)
	check(ResourceDisk, q.DiskGB, float64(used.DiskGB), float64(more.DiskGB))
	check(ResourceMemory, q.MemoryMB, float64(used.MemoryMB), float64(more.MemoryMB))
	return over
}

// Bulk is how many bytes of s its user may make as many as he likes.
func (s Spec) Bulk() int {
	sum := 0
	for _, m := range s.Mounts {
		sum += len(m.Source)
	}
	for _, words := range []map[string]string{s.Environment, s.Labels, s.Annotations, s.Hints} {
		for name, value := range words {
			sum += len(name) + len(value)
		}
	}
	for _, words := range [][]string{s.Command, s.Entrypoint} {
		for _, word := range words {
			sum += len(word)
		}
	}
	return sum
}
