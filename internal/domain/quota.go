package domain

// Quota limits one project. Minus one is unlimited.
type Quota struct {
	Containers int64
	CPU        int64
	MemoryMB   int64
	DiskGB     int64
}

// Resource names a counted resource, in the words of the quota API.
type Resource string

// The counted resources.
const (
	ResourceContainers Resource = "containers"
	ResourceCPU        Resource = "cpu"
	ResourceMemory     Resource = "memory"
	ResourceDisk       Resource = "disk"
)

// Resources lists the counted resources in alphabetical order.
func Resources() []Resource {
	return []Resource{ResourceContainers, ResourceCPU, ResourceDisk, ResourceMemory}
}
