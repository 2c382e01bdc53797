//go:build integration

package crash

import (
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// inventory is what a host and a database hold, by kind, one thing a line.
type inventory map[string][]string

// inventory lists everything that a container could leave behind.
func (d *deployment) inventory(t *testing.T) inventory {
	t.Helper()
	return inventory{
		"links":      output(t, "ip", "-o", "-br", "link"),
		"addresses":  output(t, "ip", "-o", "-br", "address"),
		"routes":     append(output(t, "ip", "route", "show", "table", "all"), output(t, "ip", "-6", "route", "show", "table", "all")...),
		"namespaces": output(t, "ls", "-1", "/run/netns"),
		"nftables":   output(t, "nft", "--handle", "--stateless", "list", "ruleset"),
		"engine":     d.engine.objects(t),
		"rows":       d.rows(t),
	}
}

// rows counts what the API shows to an administrator of all that containers use.
func (d *deployment) rows(t *testing.T) []string {
	t.Helper()
	var rows []string
	for _, path := range []string{"/hosts", "/quotas/" + d.project(t)} {
		raw, err := d.cli.Raw(t.Context(), "GET", path, map[string][]string{"usages": {"True"}}, nil)
		if err != nil {
			rows = append(rows, path+": "+err.Error())
			continue
		}
		rows = append(rows, path+": "+string(raw))
	}
	return append(rows, tables(t, d)...)
}

func (d *deployment) project(t *testing.T) string {
	t.Helper()
	list, err := d.cli.Raw(t.Context(), "GET", "/containers", map[string][]string{"name": {"bystander"}}, nil)
	if err != nil {
		return "unknown"
	}
	_, after, _ := strings.Cut(string(list), `"project_id":"`)
	project, _, _ := strings.Cut(after, `"`)
	return project
}

func output(t *testing.T, name string, args ...string) []string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil && name != "ls" { // the directory of namespaces may not exist yet
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(lines)
	return lines
}

// differs tells what is more or less than in want.
func (i inventory) differs(want inventory) error {
	var differences []string
	for _, kind := range slices.Sorted(maps.Keys(i)) {
		for _, line := range i[kind] {
			if !slices.Contains(want[kind], line) {
				differences = append(differences, fmt.Sprintf("%s has more: %s", kind, line))
			}
		}
		for _, line := range want[kind] {
			if !slices.Contains(i[kind], line) {
				differences = append(differences, fmt.Sprintf("%s has less: %s", kind, line))
			}
		}
	}
	if len(differences) > 0 {
		return fmt.Errorf("%s", strings.Join(differences, "\n"))
	}
	return nil
}
