package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/go-zun/zun/internal/domain"
)

// everyProject as the project of an entry gives each project a group of that name.
const everyProject = "*"

// groupFile is the operator's file of security groups.
type groupFile struct {
	Groups []groupEntry `yaml:"groups"`
}

// groupEntry is one group. Without a rule of direction egress all may leave, as in a
// group that Neutron makes.
type groupEntry struct {
	Name    string      `yaml:"name"`
	Project string      `yaml:"project"` // an id, or * for every project
	Rules   []ruleEntry `yaml:"rules"`
}

// ruleEntry is one rule. Without a remote end it is for anybody, in both IP versions.
type ruleEntry struct {
	Direction string `yaml:"direction"` // ingress or egress
	Protocol  string `yaml:"protocol"`  // tcp, udp, icmp, a number; empty is any
	Ports     string `yaml:"ports"`     // "80" or "80-89"; of icmp "8" or "8/0", its type and code
	Remote    string `yaml:"remote"`    // an address range
	Group     string `yaml:"group"`     // or the name of a group of the same project

	read domain.GroupRule
}

// stamp identifies one content of a file without reading it.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{modified: info.ModTime(), size: info.Size()}
}

// readGroups reads and checks the file; one that is missing has no groups.
func readGroups(path string) ([]groupEntry, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read security groups: %w", err)
	}
	var file groupFile
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read security groups of %s: %w", path, err)
	}
	for i := range file.Groups {
		group := &file.Groups[i]
		if group.Name == "" || group.Project == "" {
			return nil, fmt.Errorf("read security groups of %s: group %d needs a name and a project", path, i+1)
		}
		for j := range group.Rules {
			if err := group.Rules[j].check(); err != nil {
				return nil, fmt.Errorf("read security groups of %s: rule %d of group %s: %w", path, j+1, group.Name, err)
			}
		}
	}
	return file.Groups, nil
}

func (g groupEntry) in(projectID string) bool {
	return g.Project == projectID || g.Project == everyProject
}

// rules are those of the group as it is in a project.
func (g groupEntry) rules(projectID string) []domain.GroupRule {
	var rules []domain.GroupRule
	open := true
	for _, entry := range g.Rules {
		open = open && !entry.read.Egress
		r := entry.read
		if entry.Group != "" {
			r.RemoteGroup = groupID(projectID, entry.Group)
		}
		if r.RemotePrefix.IsValid() {
			rules = append(rules, r)
			continue
		}
		rules = append(rules, bothVersions(r)...)
	}
	if open {
		rules = append(allOut(), rules...)
	}
	return rules
}

// check reads the entry's words into the rule that they mean.
func (r *ruleEntry) check() error {
	switch r.Direction {
	case "ingress":
	case "egress":
		r.read.Egress = true
	default:
		return fmt.Errorf("direction %q is neither ingress nor egress", r.Direction)
	}
	if r.Remote != "" && r.Group != "" {
		return errors.New("remote and group exclude each other")
	}
	if r.Remote != "" {
		prefix, err := netip.ParsePrefix(r.Remote)
		if err != nil {
			return fmt.Errorf("read remote: %w", err)
		}
		r.read.RemotePrefix, r.read.IPv6 = prefix.Masked(), prefix.Addr().Is6()
	}
	r.read.Protocol = strings.ToLower(r.Protocol)
	if err := checkProtocol(r.read.Protocol); err != nil {
		return err
	}
	return r.checkPorts()
}

func checkProtocol(protocol string) error {
	switch protocol {
	case "", "tcp", "udp", "sctp", "icmp":
		return nil
	}
	if _, err := strconv.ParseUint(protocol, 10, 8); err != nil {
		return fmt.Errorf("protocol %q is none of tcp, udp, sctp, icmp or a number", protocol)
	}
	return nil
}

func (r *ruleEntry) checkPorts() error {
	r.read.PortMin, r.read.PortMax = -1, -1
	if r.Ports == "" {
		return nil
	}
	separator, bits := "-", 16
	switch r.read.Protocol {
	case "tcp", "udp", "sctp":
	case "icmp":
		separator, bits = "/", 8
	default:
		return errors.New("ports need a protocol that has them")
	}
	first, second, both := strings.Cut(r.Ports, separator)
	low, err := strconv.ParseUint(strings.TrimSpace(first), 10, bits)
	if err != nil {
		return fmt.Errorf("read ports: %w", err)
	}
	r.read.PortMin = int(low)
	switch {
	case both:
		high, err := strconv.ParseUint(strings.TrimSpace(second), 10, bits)
		if err != nil {
			return fmt.Errorf("read ports: %w", err)
		}
		r.read.PortMax = int(high)
	case bits == 16:
		r.read.PortMax = r.read.PortMin
	}
	if bits == 16 && r.read.PortMax < r.read.PortMin {
		return fmt.Errorf("the ports %s end before they begin", r.Ports)
	}
	return nil
}
