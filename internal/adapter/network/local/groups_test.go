package local_test

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/adapter/network/local"
	"github.com/go-zun/zun/internal/domain"
)

const groupsFile = `
groups:
  - name: web
    project: "*"
    rules:
      - {direction: ingress, protocol: tcp, ports: 80-81}
      - {direction: ingress, protocol: tcp, ports: "22", remote: 192.0.2.0/24}
      - {direction: ingress, protocol: icmp, ports: 8/0, group: web}
  - name: silent
    project: project-a
    rules:
      - {direction: egress, protocol: udp, ports: "53", remote: "2001:db8::/32"}
`

// openGroups writes content into a file and opens it.
func openGroups(t *testing.T, content string) (*local.Groups, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "groups.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	g, err := local.OpenGroups(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return g, path
}

func rules(t *testing.T, g *local.Groups, c domain.Container) ([]string, []domain.GroupRule) {
	t.Helper()
	ids, all, err := g.Rules(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return ids, all
}

func find(t *testing.T, g *local.Groups, actor domain.Actor, idents ...string) []string {
	t.Helper()
	ids, err := g.Find(t.Context(), actor, idents)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestDefaultGroupLetsAllOutAndItselfIn(t *testing.T) {
	g, err := local.OpenGroups("", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ids, got := rules(t, g, domain.Container{ProjectID: alice.ProjectID})
	if standard, _ := g.Default(t.Context(), alice.ProjectID); !slices.Equal(ids, []string{standard}) {
		t.Errorf("groups %v", ids)
	}
	var want []domain.GroupRule
	for _, egress := range []bool{true, false} {
		for _, six := range []bool{false, true} {
			r := domain.GroupRule{Egress: egress, IPv6: six, PortMin: -1, PortMax: -1}
			if !egress {
				r.RemoteGroup = ids[0]
			}
			want = append(want, r)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("rules %+v", got)
	}
	if theirs, _ := rules(t, g, domain.Container{ProjectID: bob.ProjectID}); theirs[0] == ids[0] {
		t.Error("two projects share a default group")
	}
}

func TestGroupsOfTheFile(t *testing.T) {
	g, _ := openGroups(t, groupsFile)
	ids := find(t, g, alice, "web", "default", "web")
	if len(ids) != 2 || !slices.Equal(find(t, g, alice, ids...), ids) {
		t.Errorf("found %v", ids)
	}
	_, got := rules(t, g, domain.Container{ProjectID: alice.ProjectID, Spec: domain.Spec{SecurityGroups: ids[:1]}})
	for _, want := range []domain.GroupRule{
		{Egress: true, PortMin: -1, PortMax: -1},
		{Protocol: "tcp", PortMin: 80, PortMax: 81},
		{Protocol: "tcp", PortMin: 80, PortMax: 81, IPv6: true},
		{Protocol: "tcp", PortMin: 22, PortMax: 22, RemotePrefix: netip.MustParsePrefix("192.0.2.0/24")},
		{Protocol: "icmp", PortMin: 8, PortMax: 0, RemoteGroup: ids[0]},
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no rule %+v among %+v", want, got)
		}
	}
	silent := find(t, g, alice, "silent")
	_, got = rules(t, g, domain.Container{ProjectID: alice.ProjectID, Spec: domain.Spec{SecurityGroups: silent}})
	if len(got) != 1 || !got[0].IPv6 || !got[0].Egress {
		t.Errorf("a group that bounds what leaves has %+v", got)
	}
	_, err := g.Find(t.Context(), bob, []string{"silent"})
	if f := domain.AsFault(err); f == nil || f.Kind != domain.Invalid || f.Message != "Security group silent not found." {
		t.Errorf("a stranger's group: %v", err)
	}
}

func TestExposedPortsAreAGroupOfTheirOwn(t *testing.T) {
	g, _ := openGroups(t, groupsFile)
	c := domain.Container{ID: "c1", ProjectID: alice.ProjectID, Spec: domain.Spec{ExposedPorts: []string{"53/udp"}}}
	ids, got := rules(t, g, c)
	want := []domain.GroupRule{
		{Egress: true, PortMin: -1, PortMax: -1}, {Egress: true, IPv6: true, PortMin: -1, PortMax: -1},
		{Protocol: "udp", PortMin: 53, PortMax: 53}, {Protocol: "udp", PortMin: 53, PortMax: 53, IPv6: true},
	}
	if len(ids) != 1 || !slices.Equal(got, want) {
		t.Errorf("groups %v with %+v", ids, got)
	}
	c.ID = "c2"
	if others, _ := rules(t, g, c); others[0] == ids[0] {
		t.Error("two containers share the group of their ports")
	}
}

func TestChangedGroupsAreSeenAndDamagedOnesNot(t *testing.T) {
	g, path := openGroups(t, groupsFile)
	first, _ := g.Edition(t.Context())
	write := func(content string, second int) {
		t.Helper()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(second), 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("groups: [{name: db, project: '*'}]", 1)
	find(t, g, alice, "db")
	second, _ := g.Edition(t.Context())
	if second == first {
		t.Error("the edition did not change with the file")
	}
	write("groups: [{name: db", 2)
	find(t, g, alice, "db")
	if third, _ := g.Edition(t.Context()); third != second {
		t.Error("a damaged file changed the groups")
	}
	write("", 3) // an editor is about to write it
	find(t, g, alice, "db")
	if err := os.Remove(path); err != nil { // lost, or about to be replaced
		t.Fatal(err)
	}
	find(t, g, alice, "db")
	if third, _ := g.Edition(t.Context()); third != second {
		t.Error("a file that is lost changed the groups")
	}
	write("# none", 4)
	if _, err := g.Find(t.Context(), alice, []string{"db"}); !domain.IsKind(err, domain.Invalid) {
		t.Errorf("a file that says that there are no groups: %v", err)
	}
}

func TestWrongGroupFiles(t *testing.T) {
	for name, rule := range map[string]string{
		"no direction":      "{protocol: tcp}",
		"unknown word":      "{direction: ingress, colour: red}",
		"unknown protocol":  "{direction: ingress, protocol: carrier-pigeon}",
		"ports of nothing":  "{direction: ingress, ports: '80'}",
		"port too high":     "{direction: ingress, protocol: tcp, ports: '70000'}",
		"ports reversed":    "{direction: ingress, protocol: tcp, ports: 90-80}",
		"no address range":  "{direction: ingress, remote: here}",
		"two remote ends":   "{direction: ingress, remote: 0.0.0.0/0, group: web}",
		"no type of a ping": "{direction: ingress, protocol: icmp, ports: echo}",
	} {
		path := filepath.Join(t.TempDir(), "groups.yaml")
		if err := os.WriteFile(path, []byte("groups: [{name: web, project: '*', rules: ["+rule+"]}]"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := local.OpenGroups(path, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestPortsCarryTheirGroups(t *testing.T) {
	g, _ := openGroups(t, groupsFile)
	l := open(t, &leases{}, local.Options{Groups: g})
	if _, err := l.CreateNetwork(t.Context(), alice, "backend"); err != nil {
		t.Fatal(err)
	}
	choices, err := l.Resolve(t.Context(), alice, []domain.NetRequest{{Network: "private"}, {Network: "backend"}})
	if err != nil {
		t.Fatal(err)
	}
	nics, err := l.Prepare(t.Context(), domain.Container{ID: "1", ProjectID: alice.ProjectID, Resolved: choices}, "host-1")
	if err != nil || len(nics) != 2 || nics[0].NetworkID == nics[1].NetworkID {
		t.Fatalf("nics %+v, %v", nics, err)
	}
	for _, nic := range nics {
		if len(nic.Groups) != 1 || len(nic.Rules) != 4 {
			t.Errorf("port %s is in %v with %d rules", nic.PortID, nic.Groups, len(nic.Rules))
		}
	}
	_, err = l.Resolve(t.Context(), alice, []domain.NetRequest{{Network: "private"}, {Network: choices[0].NetworkID}})
	if !domain.IsKind(err, domain.Invalid) {
		t.Errorf("one network twice: %v", err)
	}
}
