package deployment

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// Inventory is what a host and a database hold, by kind, one thing a line.
type Inventory map[string][]string

// Inventory lists everything that a container could leave behind, of every host.
func (d *Deployment) Inventory(t *testing.T) Inventory {
	t.Helper()
	i := Inventory{"engine": d.Engine.Objects(t, d), "rows": d.rows(t)}
	for _, host := range d.Hosts {
		for kind, command := range map[string][]string{
			"links":      {"ip", "-o", "-br", "link"},
			"addresses":  {"ip", "-o", "-br", "address"},
			"routes":     {"ip", "route", "show", "table", "all"},
			"routes6":    {"ip", "-6", "route", "show", "table", "all"},
			"namespaces": {"ls", "-1", "/run/netns"},
			"nftables":   {"nft", "--stateless", "list", "ruleset"},
			"files":      {"find", host.State + "/containers", "-mindepth", "1"},
			"volumes":    {"sh", "-c", "find " + d.Dir + "/mnt -mindepth 2 -maxdepth 3; grep " + d.Dir + " /proc/self/mountinfo || true"},
		} {
			for _, line := range slices.Sorted(strings.Lines(host.Room.Output(t, command[0], command[1:]...))) {
				i[kind] = append(i[kind], host.Name+": "+line)
			}
		}
	}
	return i
}

// Differs tells what is more or less than in want, kinds left out aside.
func (i Inventory) Differs(want Inventory, leftOut ...string) error {
	var differences []error
	for _, kind := range slices.Sorted(maps.Keys(i)) {
		if slices.Contains(leftOut, kind) {
			continue
		}
		for _, line := range i[kind] {
			if !slices.Contains(want[kind], line) {
				differences = append(differences, fmt.Errorf("%s has more: %s", kind, strings.TrimSpace(line)))
			}
		}
		for _, line := range want[kind] {
			if !slices.Contains(i[kind], line) {
				differences = append(differences, fmt.Errorf("%s has less: %s", kind, strings.TrimSpace(line)))
			}
		}
	}
	return errors.Join(differences...)
}

// Grew tells of which kinds there is more or less than in want, whatever it is called;
// rows aside.
func (i Inventory) Grew(want Inventory) error {
	var differences []error
	for _, kind := range slices.Sorted(maps.Keys(i)) {
		if kind != "rows" && len(i[kind]) != len(want[kind]) {
			differences = append(differences, fmt.Errorf("%s: %d, not %d", kind, len(i[kind]), len(want[kind])))
		}
	}
	return errors.Join(differences...)
}
