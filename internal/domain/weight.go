package domain

// maxTexts bounds in bytes what describes a container, beside the files that it brings
// along: it lies in the row, is read with every list, and travels whole to the host. A
// kernel starts no process with more of arguments and environment than twice of it.
const maxTexts = 1 << 20

// What one thing weighs beside its texts, so that many empty ones are no way around the bound.
const (
	itemWeight = 16
	specWeight = 1 << 10
)

// maxCommand bounds in bytes a command that is run in a container: engines keep it as long as
// its session, and a kernel takes no longer word.
const maxCommand = 128 << 10

// CheckCommand refuses a command that is too long to be run.
func CheckCommand(words []string) error {
	total := 0
	for _, word := range words {
		total += itemWeight + len(word)
	}
	if total > maxCommand {
		return NewFault(Invalid, "invalid-value", "The command is too long: it may have %d bytes.", maxCommand)
	}
	return nil
}

// CheckTexts refuses specs whose texts are together larger than one container or capsule
// may have them.
func CheckTexts(specs ...Spec) error {
	total := 0
	for i := range specs {
		total += specs[i].weight()
	}
	if total > maxTexts {
		return NewFault(Invalid, "invalid-value", "The description is too large: environment, labels, commands and all other texts may have %d bytes together.", maxTexts)
	}
	return nil
}

// weight is what the texts of a spec take, without the content of files, which is bounded
// by itself.
func (s *Spec) weight() int {
	total := specWeight + len(s.Name) + len(s.Image) + len(s.Workdir) + len(s.Hostname) + len(s.Zone) + len(s.RequestedHost) + len(s.Runtime)
	if s.Healthcheck != nil {
		total += len(s.Healthcheck.Test)
	}
	for _, list := range [][]string{s.Command, s.Entrypoint, s.ExposedPorts, s.SecurityGroups} {
		for _, item := range list {
			total += itemWeight + len(item)
		}
	}
	for _, texts := range []map[string]string{s.Environment, s.Labels, s.Annotations, s.Hints} {
		for name, value := range texts {
			total += itemWeight + len(name) + len(value)
		}
	}
	for _, m := range s.Mounts {
		total += itemWeight + len(m.Destination)
		if m.Type != MountBind {
			total += len(m.Source)
		}
	}
	for _, n := range s.Nets {
		total += itemWeight + len(n.Network) + len(n.Port) + len(n.FixedV4) + len(n.FixedV6)
	}
	return total
}
