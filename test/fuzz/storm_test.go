//go:build integration

package fuzz

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/test/deployment"
)

// The limits of a project. The last project's limit of containers moves between two.
const (
	containerLimit = slots
	lowLimit       = 3
	cpuLimit       = 3
	memoryLimit    = 1280
)

// variant is a shape of the service.
type variant struct {
	name string
	plan deployment.Plan
}

func variants() []variant {
	return []variant{
		{"replicas", deployment.Plan{Engine: deployment.Simulated{}, Server: deployment.PostgreSQL, Replicas: 2, Hosts: 2}},
		{"mariadb", deployment.Plan{Engine: deployment.Simulated{}, Server: deployment.MariaDB, Replicas: 2, Hosts: 2}},
		{"allinone", deployment.Plan{Engine: deployment.Simulated{}, AllInOne: true}},
	}
}

// settings make what takes minutes in production take seconds.
const settings = `[DEFAULT]
service_down_time = 5
rpc_response_timeout = 4
[deadlines]
silence = 6
`

// groups is a security group that everybody may use.
const groups = `groups:
  - name: web
    project: "*"
    rules:
      - {direction: ingress, protocol: tcp, ports: "80"}
`

func projectID(n int) string { return fmt.Sprintf("%032x", n+1) }

// member uses a project; founder is its administrator, who may make its networks.
func member(n int) deployment.Person {
	return deployment.Person{
		Name: fmt.Sprintf("member%d", n), ID: fmt.Sprintf("%032x", 100+n),
		Project: fmt.Sprintf("project%d", n), ProjectID: projectID(n), Role: "member",
	}
}

func founder(n int) deployment.Person {
	p := member(n)
	p.Name, p.ID, p.Role = fmt.Sprintf("founder%d", n), fmt.Sprintf("%032x", 200+n), "admin"
	return p
}

// storm is one run of a seed.
type storm struct {
	*deployment.Deployment
	schedule schedule
	journal  *journal
	admin    *client.Client
	seats    [projects][slots]seat
	db       *sql.DB
	clean    deployment.Inventory // before the storm
	made     atomic.Int64         // requests begun
	busy     map[*deployment.Process]*sync.Mutex
}

// seat is where a project keeps one container. Clients that act on the same seat meet.
type seat struct {
	filling sync.Mutex
	mu      sync.Mutex
	uuid    string
}

func (s *seat) occupant() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uuid
}

func (s *seat) take(uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uuid = uuid
}

// leave empties the seat if uuid still has it.
func (s *seat) leave(uuid string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.uuid == uuid {
		s.uuid = ""
	}
}

// worker is a client that does one thing after the other.
type worker struct {
	storm    *storm
	cli, old *client.Client // old speaks a version that still has the verbs of security groups
}

// weather runs one seed on one shape of the service, from its start to its verdict.
func weather(t *testing.T, v variant, s schedule) {
	t.Helper()
	p := v.plan
	p.Settings = settings
	for n := range projects {
		p.People = append(p.People, member(n), founder(n))
	}
	storm := &storm{schedule: s, journal: newJournal(t, fmt.Sprintf("%s-%d", v.name, s.seed))}
	storm.Deployment = deployment.Start(t, p)
	storm.admin, storm.busy = storm.CLI, map[*deployment.Process]*sync.Mutex{}
	for _, p := range storm.Processes() {
		storm.busy[p] = &sync.Mutex{}
	}
	storm.db = storm.Open(t)
	t.Cleanup(func() { _ = storm.db.Close() })
	storm.furnish(t)
	storm.clean = storm.bare(t)
	begun := time.Now()
	storm.rage(t)
	raged := time.Since(begun)
	storm.calm(t)
	storm.judge(t)
	storm.clearAway(t)
	t.Logf("seed %d on %s: %d requests (%s), %d misfortunes, %.0f s of storm, %.0f s in all", s.seed, v.name,
		len(s.ops), storm.journal.tally(), len(s.misfortunes), raged.Seconds(), time.Since(begun).Seconds())
}

// furnish makes what the storm takes for granted: networks, a security group, limits.
// One container of each project on each host leaves there what stays for good.
func (s *storm) furnish(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	if err := os.WriteFile(filepath.Join(s.Dir, "security-groups.yaml"), []byte(groups), 0o600); err != nil {
		t.Fatal(err)
	}
	for n := range projects {
		user, first := s.Client(member(n)), s.Client(founder(n))
		limits := api.QuotaUpdate{Containers: number(containerLimit), CPU: number(cpuLimit), Memory: number(memoryLimit)}
		if _, err := s.admin.UpdateQuota(ctx, projectID(n), limits); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"second", "third"} {
			s.Eventually(t, "network "+name+" is made", func() error {
				_, err := first.Raw(ctx, http.MethodPost, "/networks", nil, map[string]string{"name": name})
				return err
			})
		}
		for _, host := range s.Hosts {
			s.visit(t, user, host)
		}
	}
}

// bridge matches the name of a project's bridge.
var bridge = regexp.MustCompile(`\bzb[0-9a-f]{6}-`)

// bare is the inventory once the hosts have taken away the bridges that nobody uses.
func (s *storm) bare(t *testing.T) deployment.Inventory {
	t.Helper()
	var all deployment.Inventory
	s.Eventually(t, "the hosts are bare", func() error {
		all = s.Inventory(t)
		for _, lines := range all {
			for _, line := range lines {
				if bridge.MatchString(line) {
					return errors.New(line)
				}
			}
		}
		return nil
	})
	return all
}

func number(n int64) *int64 { return &n }

// visit has a container of a user live shortly on a host.
func (s *storm) visit(t *testing.T, user *client.Client, host *deployment.Host) {
	t.Helper()
	ctx := t.Context()
	for _, other := range s.Hosts {
		if other != host {
			_, _ = s.admin.DisableService(ctx, other.Name, "zun-compute", "another is visited")
		}
	}
	c, err := user.CreateContainer(ctx, api.ContainerCreate{Image: "cirros", Command: []string{"sleep", "1000"}, Memory: "64",
		Nets: []api.NetRequest{{Network: "second"}, {Network: "third"}, {Network: "private"}}}, true)
	if err != nil {
		t.Fatal(err)
	}
	s.Eventually(t, "the visitor runs", func() error {
		now, err := user.Container(ctx, c.UUID, false)
		if err == nil && now.Status != "Running" {
			err = fmt.Errorf("it is %s", now.Status)
		}
		return err
	})
	if err := user.DeleteContainer(ctx, c.UUID, client.DeleteOptions{Stop: true}); err != nil {
		t.Fatal(err)
	}
	s.Eventually(t, "the visitor is gone", func() error { return s.gone(ctx, c.UUID) })
	for _, other := range s.Hosts {
		s.enable(ctx, other)
	}
}

// rage carries out the schedule.
func (s *storm) rage(t *testing.T) {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), 10*time.Minute)
	defer end()
	var crews, witnesses sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	defer stop()
	w := s.witness(t)
	witnesses.Go(func() { w.watch(watching) })
	crews.Go(func() { s.befall(ctx, t) })
	for n := range workers {
		w := s.worker(n)
		crews.Go(func() {
			for _, o := range s.schedule.ops {
				if o.worker == n && ctx.Err() == nil {
					s.made.Add(1)
					w.take(ctx, o)
				}
			}
		})
	}
	crews.Wait()
	stop()
	witnesses.Wait()
	if ctx.Err() != nil {
		t.Fatalf("the storm did not end: %v", ctx.Err())
	}
}

func (s *storm) witness(t *testing.T) *witness {
	t.Helper()
	w := &witness{storm: s, db: s.db, engines: map[string]*fake.Engine{}, told: map[string]bool{}}
	for _, host := range s.Hosts {
		w.engines[host.Name] = host.Cues(t)
	}
	return w
}

func (s *storm) worker(n int) *worker {
	person := member(n % projects)
	doors := s.Doors
	if n%2 == 1 { // half of the clients knock at the last replica first
		doors = append([]string{s.Doors[len(s.Doors)-1]}, s.Doors[:len(s.Doors)-1]...)
	}
	w := &worker{storm: s, cli: s.ClientAt(person, api.Version{}, doors...)}
	w.old = s.ClientAt(person, api.Version{Major: 1, Minor: 12}, doors...)
	return w
}

// take does an op once somebody is there to take the request.
func (w *worker) take(ctx context.Context, o op) {
	for w.storm.nobodyHome(ctx) {
		if !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
	w.do(ctx, o)
	pause(ctx, time.Duration(o.dice%40)*time.Millisecond) // for thought
}

// nobodyHome says that no replica takes connections.
func (s *storm) nobodyHome(ctx context.Context) bool {
	conn, err := s.Room.Knock(ctx, s.Doors)
	if err != nil {
		return ctx.Err() == nil
	}
	_ = conn.Close()
	return false
}

// gone says why a container is not gone.
func (s *storm) gone(ctx context.Context, uuid string) error {
	c, err := s.admin.Container(ctx, uuid, true)
	if isNotFound(err) {
		return nil
	}
	return errors.Join(err, fmt.Errorf("it is %s: %s", c.Status, said(c)))
}

func said(c api.Container) string {
	if c.StatusReason == nil {
		return "no reason given"
	}
	return *c.StatusReason
}

func isNotFound(err error) bool {
	var refused *client.Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

// pause waits; false if ctx ended meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
