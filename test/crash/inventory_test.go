//go:build integration

package crash

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// inventory is what a host and a database hold, by kind, one thing a line.
type inventory map[string][]string

// inventory lists everything that a container could leave behind.
func (d *deployment) inventory(t *testing.T) inventory {
	t.Helper()
	lines := func(name string, args ...string) []string {
		return slices.Sorted(strings.Lines(d.room.output(t, name, args...)))
	}
	return inventory{
		"links":      lines("ip", "-o", "-br", "link"),
		"addresses":  lines("ip", "-o", "-br", "address"),
		"routes":     append(lines("ip", "route", "show", "table", "all"), lines("ip", "-6", "route", "show", "table", "all")...),
		"namespaces": lines("ls", "-1", "/run/netns"),
		"nftables":   lines("nft", "--stateless", "list", "ruleset"),
		"files":      lines("find", d.dir+"/agent/containers", "-mindepth", "1"),
		"engine":     d.engine.objects(t, d),
		"rows":       d.rows(t),
	}
}

// differs tells what is more or less than in want, kinds left out aside.
func (i inventory) differs(want inventory, leftOut ...string) error {
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

// grew tells of which kinds there is more or less than in want, whatever it is called;
// rows aside.
func (i inventory) grew(want inventory) error {
	var differences []error
	for _, kind := range slices.Sorted(maps.Keys(i)) {
		if kind != "rows" && len(i[kind]) != len(want[kind]) {
			differences = append(differences, fmt.Errorf("%s: %d, not %d", kind, len(i[kind]), len(want[kind])))
		}
	}
	return errors.Join(differences...)
}
