package domain

// Volume is a volume of a container as its host mounts it.
type Volume struct {
	ID          string // uuid; the same for every generation of the container
	Provider    string // who made it: "local"
	SizeGB      int64
	Destination string // the directory inside
}

// ProviderLocal names the volumes that a host makes on its own disk.
const ProviderLocal = "local"

// VolumeGB is how much disk the volumes take that mounts asks to be made.
func VolumeGB(mounts []MountRequest) int64 {
	var sum int64
	for _, m := range mounts {
		if m.Type == MountVolume && m.Source == "" {
			sum += m.SizeGB
		}
	}
	return sum
}

// The types of a mount.
const (
	MountVolume = "volume"
	MountBind   = "bind"
)
