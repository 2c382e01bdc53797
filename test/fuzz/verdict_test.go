//go:build integration

package fuzz

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/test/deployment"
)

// calmWithin is how long everything may take to come to rest after a storm: an agent
// that failed again and again looks again after half a minute at most, a lease that
// nobody holds ends after 20 seconds.
const calmWithin = 120 * time.Second

// calm makes everything whole and waits until nothing moves any more.
func (s *storm) calm(t *testing.T) {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), calmWithin)
	defer end()
	s.journal.note("the storm is over")
	for _, host := range s.Hosts {
		if err := host.Cues(t).ClearCues(); err != nil {
			t.Fatal(err)
		}
	}
	begun := time.Now()
	quiet := 0 // looks in a row at which nothing moved
	for last := ""; quiet < 5; {
		left, err := restless(ctx, s.db)
		if err == nil && left == "" {
			left = s.disagreement(ctx, t)
		}
		if err != nil {
			left = err.Error()
		}
		if quiet++; left != "" {
			quiet = 0
		}
		if left != last {
			s.journal.note("to come to rest: %s", left)
		}
		last = left
		if !pause(ctx, 200*time.Millisecond) {
			s.journal.fault("after %s it has not come to rest: %s", calmWithin, left)
			break
		}
	}
	s.journal.note("at rest after %s", time.Since(begun).Round(time.Millisecond))
}

// disagreement says where a row and an engine tell of different statuses.
func (s *storm) disagreement(ctx context.Context, t *testing.T) string {
	t.Helper()
	held := s.held(ctx, t)
	found, err := ask(ctx, s.db, "SELECT uuid, status, nics, host, cpuset_cpus FROM containers")
	if err != nil {
		return err.Error()
	}
	if crowded := crowded(found, held); crowded != "" {
		return crowded
	}
	for _, line := range found {
		for _, o := range held[line[0]] {
			if now := string(o.State.Status); !o.Sandbox && now != line[1] && line[1] != "Error" {
				return fmt.Sprintf("%s is %s in the database and %s on %s", line[0], line[1], now, o.host)
			}
			var nics []struct{ PortID string }
			if err := json.Unmarshal([]byte(line[2]), &nics); err != nil {
				return err.Error()
			}
			if !o.Sandbox || !wired(line[1]) {
				continue
			}
			if links, err := s.linksOf(ctx, o); err != nil || links != len(nics) {
				return fmt.Sprintf("%s has %d interfaces in the database and %d links in its sandbox on %s", line[0], len(nics), links, o.host)
			}
		}
	}
	return ""
}

// crowded says where a process may run on CPUs that are another's alone, or one that has
// CPUs for itself elsewhere. Rows are uuid, status, nics, host and CPUs.
func crowded(rows [][]string, held map[string][]holding) string {
	all := "0-" + strconv.Itoa(runtime.NumCPU()-1)
	for _, owner := range rows {
		for _, other := range rows {
			for _, o := range held[other[0]] {
				switch {
				case owner[4] == "" || o.Sandbox || o.host != owner[3] || !alive(o.Object):
				case other[0] == owner[0] && o.CPUSet.CPUs != owner[4]:
					return fmt.Sprintf("%s has CPUs %s for itself and runs on %q", owner[0], owner[4], o.CPUSet.CPUs)
				case other[0] != owner[0] && meet(owner[4], cmp.Or(o.CPUSet.CPUs, all)):
					return fmt.Sprintf("%s has CPUs %s for itself, and %s runs on %q", owner[0], owner[4], other[0], o.CPUSet.CPUs)
				}
			}
		}
	}
	return ""
}

// meet says whether two lists of CPUs have one in common.
func meet(one, other string) bool {
	a, errA := domain.ParseCPUs(one)
	b, errB := domain.ParseCPUs(other)
	return errA != nil || errB != nil || len(domain.WithoutCPUs(a, b)) < len(a)
}

// wired says whether a container in status has a process, and so its interfaces.
func wired(status string) bool { return status == "Running" || status == "Paused" }

// holding is an object and the host that has it.
type holding struct {
	agent.Object
	host string
}

// held lists what every engine holds, by container.
func (s *storm) held(ctx context.Context, t *testing.T) map[string][]holding {
	t.Helper()
	all := map[string][]holding{}
	for _, host := range s.Hosts {
		objects, err := host.Cues(t).List(ctx)
		if err != nil {
			s.journal.fault("list the objects of %s: %v", host.Name, err)
		}
		for _, o := range objects {
			all[string(o.Container)] = append(all[string(o.Container)], holding{o, host.Name})
		}
	}
	return all
}

// judge holds the whole against the model.
func (s *storm) judge(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	b, err := s.books(ctx, s.db)
	if err != nil {
		t.Fatal(err)
	}
	s.judgeSums(ctx, t)
	held := s.held(ctx, t)
	for uuid, objects := range held {
		if _, known := b.containers[uuid]; !known {
			s.journal.fault("%s is held by %s and known to nobody", uuid, objects[0].host)
		}
	}
	for _, r := range b.containers {
		s.judgeStatus(ctx, r, b)
		s.judgeObjects(r, held[r.uuid])
		s.judgeLimits(t, r, held[r.uuid])
		s.judgeWires(t, r, b, held[r.uuid])
		s.judgeRecords(r, b)
	}
	s.judgeHistory(b)
	s.report(t)
}

// judgeStatus holds that the API and the model agree on a container.
func (s *storm) judgeStatus(ctx context.Context, r row, b *books) {
	c, err := s.admin.Container(ctx, r.uuid, true)
	if err != nil {
		s.journal.fault("show %s: %v", r.uuid, err)
		return
	}
	legal := admissible(r, b.actions[r.uuid], s.journal.upset[r.uuid])
	if c.Status != r.status || !legal[c.Status] {
		s.journal.fault("%s is %s (%s), in the database %s; after its records it may be %s", r.uuid, c.Status, said(c), r.status, legal)
	}
	if c.Status == "Error" && said(c) == "no reason given" {
		s.journal.fault("%s is in Error without a reason", r.uuid)
	}
	if r.absent || wired(c.Status) && (!r.wantRunning || r.wantPaused != (c.Status == "Paused")) {
		s.journal.fault("%s is %s, but its host is told: absent %v, running %v, paused %v", r.uuid, c.Status, r.absent, r.wantRunning, r.wantPaused)
	}
}

// judgeObjects holds that what is known to exist does, once, where it should, and is
// what its row says; and that nothing else exists.
func (s *storm) judgeObjects(r row, held []holding) {
	members, sandboxes := 0, 0
	for _, o := range held {
		if o.host != r.host {
			s.journal.fault("%s belongs on %s and has an object on %s", r.uuid, r.host, o.host)
		}
		if o.Sandbox {
			sandboxes++
			continue
		}
		members++
		if generation := strconv.FormatInt(o.Generation, 10); generation != r.generation || o.EngineID != r.engineID && r.everCreated {
			s.journal.fault("%s is of generation %s with object %.12s, on %s it is of %s with %.12s", r.uuid, r.generation, r.engineID, o.host, generation, o.EngineID)
		}
		if alive(o.Object) && string(o.State.Status) != r.status {
			s.journal.fault("%s is %s and its process is %s", r.uuid, r.status, o.State.Status)
		}
	}
	if members > 1 || sandboxes > 1 {
		s.journal.fault("%s has %d members and %d sandboxes", r.uuid, members, sandboxes)
	}
	if present := r.everCreated && r.engineID != ""; present != (members == 1) {
		s.journal.fault("%s is %s: created %v with object %.12q, and there are %d", r.uuid, r.status, r.everCreated, r.engineID, members)
	}
	if (r.status == "Running" || r.status == "Paused") && sandboxes != 1 {
		s.journal.fault("%s is %s and has %d sandboxes", r.uuid, r.status, sandboxes)
	}
}

// judgeLimits holds that a host gives a container what it is counted for, neither more
// nor less.
func (s *storm) judgeLimits(t *testing.T, r row, held []holding) {
	t.Helper()
	for _, o := range held {
		if o.Sandbox {
			continue
		}
		i := slices.IndexFunc(s.Hosts, func(h *deployment.Host) bool { return h.Name == o.host })
		data, err := os.ReadFile(filepath.Join(s.Hosts[i].Simulation(t), "objects", "member."+r.uuid+".json"))
		var kept struct{ Spec domain.Spec }
		if err == nil {
			err = json.Unmarshal(data, &kept)
		}
		memory, cpu := strconv.FormatInt(kept.Spec.MemoryMB, 10), strconv.FormatFloat(kept.Spec.CPU, 'g', -1, 64)
		if err != nil || memory != r.memory || cpu != r.cpu {
			s.journal.fault("%s is counted with memory %s and cpu %s, and has %s and %s on %s (%v)", r.uuid, r.memory, r.cpu, memory, cpu, o.host, err)
		}
	}
}

// judgeWires holds that a container has the ports of its row, and its sandbox these
// interfaces and no other.
func (s *storm) judgeWires(t *testing.T, r row, b *books, held []holding) {
	t.Helper()
	var nics []struct{ PortID string }
	if err := json.Unmarshal([]byte(r.nics), &nics); err != nil {
		s.journal.fault("%s: its interfaces are %s: %v", r.uuid, r.nics, err)
	}
	var own []string
	for _, nic := range nics {
		own = append(own, nic.PortID)
	}
	slices.Sort(own)
	ports := slices.Sorted(slices.Values(b.ports[r.uuid]))
	unmade := r.status == "Error" && !r.everCreated // what was made for it waits for another try, or its end
	if !slices.Equal(own, ports) && (!unmade || len(own) > 0) {
		s.journal.fault("%s (%s) has interfaces %v and ports %v", r.uuid, r.status, own, ports)
	}
	if !wired(r.status) {
		return
	}
	for _, o := range held {
		if !o.Sandbox {
			continue
		}
		links, err := s.linksOf(t.Context(), o)
		if err != nil || links != len(own) {
			s.journal.fault("%s has %d interfaces and %d links in its sandbox on %s: %v", r.uuid, len(own), links, o.host, err)
		}
	}
}

// linksOf counts the interfaces in a sandbox but its loopback.
func (s *storm) linksOf(ctx context.Context, o holding) (int, error) {
	i := slices.IndexFunc(s.Hosts, func(h *deployment.Host) bool { return h.Name == o.host })
	out, err := s.Hosts[i].Room.Try(ctx, "ip", "-n", "zun-"+string(o.Container), "-o", "link", "show", "type", "veth")
	return strings.Count(out, "\n"), err
}

// judgeRecords holds that each action ended as its events say.
func (s *storm) judgeRecords(r row, b *books) {
	for _, a := range b.actions[r.uuid] {
		if a.state != "canceled" && a.events == 0 {
			s.journal.fault("%s: action %s (%s, %s) has no event", r.uuid, a.id, a.verb, a.state)
		}
		if a.state == "failed" && a.reason == "" {
			s.journal.fault("%s: action %s (%s) failed without a reason", r.uuid, a.id, a.verb)
		}
	}
}

// judgeHistory holds the clients' own memory against the rows: what was accepted is on
// record, and what was deleted is gone.
func (s *storm) judgeHistory(b *books) {
	for uuid, entries := range s.journal.of {
		r, known := b.containers[uuid]
		said := map[string]int{}
		for _, e := range entries {
			if e.verdict != accepted {
				continue
			}
			verb := verbOf(e.op.kind)
			said[verb]++
			if verb == "delete" && known {
				s.journal.fault("%s was deleted by op %d and is %s", uuid, e.op.number, r.status)
			}
		}
		if !known {
			continue
		}
		recorded := map[string]int{}
		for _, a := range b.actions[uuid] {
			recorded[a.verb]++
		}
		for verb, n := range said {
			if recorded[verb] < n && !slices.Contains([]string{"", "create"}, verb) {
				s.journal.fault("%s: %d of %s were accepted and %d are on record", uuid, n, verb, recorded[verb])
			}
		}
	}
}

// verbOf is the verb that a kind leaves on record; empty if it leaves none.
func verbOf(k kind) string {
	switch k {
	case "attach", "detach":
		return "network_" + string(k)
	case "group":
		return string(domain.VerbAddGroup)
	case "ungroup":
		return string(domain.VerbRemoveGroup)
	case "delete", "delete-stop", "delete-force":
		return "delete"
	case "update", "resize":
		return "update"
	case "start", "stop", "reboot", "pause", "unpause", "kill", "rebuild", "create":
		return string(k)
	default:
		return ""
	}
}

// judgeSums holds the books of hosts and projects against the sums of the rows, and
// that no action has an event that is still open.
func (s *storm) judgeSums(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, law := range append(laws(),
		law{"a host's claims are not the sum over its containers", `SELECT h.hostname, h.total_containers, h.mem_used, h.cpu_used,
			(SELECT count(*) FROM containers c WHERE c.host_uuid = h.uuid), (SELECT COALESCE(sum(memory), 0) FROM containers c WHERE c.host_uuid = h.uuid)
			FROM hosts h WHERE h.total_containers <> (SELECT count(*) FROM containers c WHERE c.host_uuid = h.uuid)
			OR h.mem_used <> (SELECT COALESCE(sum(memory), 0) FROM containers c WHERE c.host_uuid = h.uuid)
			OR abs(h.cpu_used - (SELECT COALESCE(sum(cpu), 0) FROM containers c WHERE c.host_uuid = h.uuid) * 1000000) > 1`},
		law{"a project's usage is not the sum over its containers", `SELECT q.project_id, q.containers, q.memory, q.cpu FROM quota_usages q
			WHERE q.containers <> (SELECT count(*) FROM containers c WHERE c.project_id = q.project_id)
			OR q.memory <> (SELECT COALESCE(sum(memory), 0) FROM containers c WHERE c.project_id = q.project_id)
			OR abs(q.cpu - (SELECT COALESCE(sum(cpu), 0) FROM containers c WHERE c.project_id = q.project_id) * 1000000) > 1`},
		law{"an event is open and its action has ended", `SELECT e.action_id, e.name, a.verb, a.state FROM action_events e
			JOIN actions a ON a.id = e.action_id WHERE e.result = '' AND a.state IN ('done', 'failed', 'canceled')`},
		law{"a port belongs to nobody", "SELECT uuid, container_uuid FROM local_ports WHERE container_uuid NOT IN (SELECT uuid FROM containers)"},
		law{"a canceled action did not end by a delete", "SELECT container_uuid, id, verb FROM actions WHERE state = 'canceled'"},
	) {
		found, err := ask(ctx, s.db, law.query)
		if err != nil {
			t.Errorf("%s: %v", law.says, err)
		}
		for _, line := range found {
			s.journal.fault("%s: %s", law.says, strings.Join(line, " "))
		}
	}
}

// clearAway deletes everything, and holds that the hosts and the database are as they
// were before the storm.
func (s *storm) clearAway(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	all, err := s.admin.Containers(ctx, client.ListOptions{Filters: map[string][]string{"all_projects": {"true"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		how := client.DeleteOptions{Stop: true, AllProjects: true}
		if err := s.admin.DeleteContainer(ctx, c.UUID, how); err != nil && !isNotFound(err) {
			s.journal.fault("delete %s, which is %s: %v", c.UUID, c.Status, err)
		}
	}
	for _, c := range all {
		s.Eventually(t, c.UUID+" is gone", func() error { return s.gone(ctx, c.UUID) })
	}
	for n := range projects {
		s.discard(t, s.Client(member(n)))
	}
	s.Eventually(t, "nothing is left behind", func() error { return s.Inventory(t).Differs(s.clean) })
	s.report(t)
}

// discard deletes the images that a project committed, once their containers are gone.
func (s *storm) discard(t *testing.T, user *client.Client) {
	t.Helper()
	s.Eventually(t, "the committed images are gone", func() error {
		images, err := user.Images(t.Context(), client.ListOptions{})
		for _, image := range images {
			err = errors.Join(err, user.DeleteImage(t.Context(), image.UUID), fmt.Errorf("%s is still there", image.UUID))
		}
		return err
	})
}

// report fails the test with every fault that was noted.
func (s *storm) report(t *testing.T) {
	t.Helper()
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	for _, fault := range s.journal.faults {
		t.Error(fault)
	}
	s.journal.faults = nil
}
