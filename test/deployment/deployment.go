package deployment

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// SettleWithin is how long anything may take to come right after a crash.
const SettleWithin = 30 * time.Second

// Plan says what a deployment is made of.
type Plan struct {
	Engine   Engine
	Server   Server   // of the database; none is SQLite
	Replicas int      // of control; 0 is one
	Hosts    int      // 0 is one
	AllInOne bool     // one process is control and host; on SQLite
	People   []Person // beside the administrator
	Settings string   // more lines of zun.conf
}

// Deployment is a service that runs in a directory and in namespaces of its own.
type Deployment struct {
	Dir      string
	Room     *Room // of control and of the first host
	Engine   Engine
	Database string // as zun.conf names it
	APIs     []*Process
	Hosts    []*Host
	Doors    []string       // of the API, the one to knock at first first
	CLI      *client.Client // the administrator's

	bin string
}

// Host is one compute node.
type Host struct {
	*Process
	Name  string
	Room  *Room
	State string // its directory
}

// Start starts everything and waits until the hosts can take containers. It is
// stopped when the test ends.
func Start(t *testing.T, p Plan) *Deployment {
	t.Helper()
	bin := os.Getenv("ZUN_TEST_BIN")
	if bin == "" {
		t.Fatal("ZUN_TEST_BIN must name the directory of the built binaries; make test SUITE=... sees to it")
	}
	d := &Deployment{Dir: t.TempDir(), bin: bin, Room: newRoom(t), Engine: p.Engine}
	d.Database = "sqlite:///" + filepath.Join(d.Dir, "zun.db")
	if p.Server != nil {
		d.Database = p.Server(t)
	}
	replicas := max(1, p.Replicas)
	d.write(t, "zun.conf", d.conf(p.Engine.Config(), p.Settings))
	writePeople(t, d.Dir, p.People)
	t.Cleanup(func() { d.end(t) })
	if p.AllInOne {
		d.allInOne(t)
	} else {
		d.apart(t, replicas, max(1, p.Hosts))
	}
	d.CLI = d.Client(Admin())
	d.Eventually(t, "the hosts are up", func() error { return d.hostsUp(t.Context()) })
	return d
}

// apart starts control's replicas and the hosts as processes of their own.
func (d *Deployment) apart(t *testing.T, replicas, hosts int) {
	t.Helper()
	d.run(t, "zun-db-manage", "upgrade")
	for n := range replicas {
		d.APIs = append(d.APIs, d.api(n))
		d.Doors = append(d.Doors, at(loopback, apiPort+n))
	}
	for n := range hosts {
		d.Hosts = append(d.Hosts, d.host(t, n, replicas))
	}
	for _, replica := range d.APIs {
		replica.MustStart(t)
	}
	for _, host := range d.Hosts {
		host.MustStart(t)
	}
}

func (d *Deployment) allInOne(t *testing.T) {
	t.Helper()
	one := &Process{d: d, room: d.Room, Name: "zun-allinone", args: []string{
		"zun-allinone", "--set", "api.host_ip=" + loopback, "--set", fmt.Sprintf("api.port=%d", apiPort),
	}}
	d.APIs, d.Doors = []*Process{one}, []string{at(loopback, apiPort)}
	d.Hosts = []*Host{{Process: one, Name: HostName(0), Room: d.Room, State: filepath.Join(d.Dir, "agent")}}
	one.MustStart(t)
}

// Ports can be fixed, because every room has its own.
const (
	loopback  = "127.0.0.1"
	apiPort   = 9517
	linkPort  = 9617
	agentPort = 9717
)

func at(address string, port int) string { return fmt.Sprintf("%s:%d", address, port) }

// HostName is what the host with that number is called.
func HostName(n int) string { return fmt.Sprintf("host-%d", n) }

func (d *Deployment) conf(engine, more string) string {
	return fmt.Sprintf(`[DEFAULT]
state_path = %[1]s
host = %[2]s
my_ip = 127.0.0.1
debug = true
graceful_shutdown_timeout = 5
[database]
connection = %[3]s
[agent]
state_dir = %[1]s/agent
[compute]
enable_cpu_pinning = true
%[4]s
%[5]s
`, d.Dir, HostName(0), d.Database, engine, more)
}

func (d *Deployment) api(n int) *Process {
	return &Process{d: d, room: d.Room, Name: fmt.Sprintf("zun-api-%d", n), args: []string{"zun-api",
		"--set", "api.host_ip=" + loopback, "--set", fmt.Sprintf("api.port=%d", apiPort+n),
		"--set", "api.link_address=" + at("0.0.0.0", linkPort+n)}}
}

// host makes the n-th host. The first lives in control's room; every other has a room
// of its own with a wire to that, because two hosts cannot share one kernel's names.
func (d *Deployment) host(t *testing.T, n, replicas int) *Host {
	t.Helper()
	h := &Host{Name: HostName(n), Room: d.Room, State: filepath.Join(d.Dir, "agent")}
	control, own := loopback, loopback
	if n > 0 {
		h.Room, h.State = newRoom(t), filepath.Join(d.Dir, fmt.Sprintf("agent-%d", n))
		control, own = d.Room.wire(t, h.Room, n)
	}
	var controls []string
	for r := range replicas {
		controls = append(controls, at(control, linkPort+r))
	}
	token := strings.TrimSpace(d.run(t, "zun-api", "host-token", h.Name))
	args := []string{"zun-compute"}
	for _, setting := range []string{
		"DEFAULT.host=" + h.Name, "agent.state_dir=" + h.State, "agent.control_address=" + strings.Join(controls, ","),
		"agent.listen=" + at(own, agentPort), "agent.advertise_address=" + at(own, agentPort), "agent.join_token=" + token,
	} {
		args = append(args, "--set", setting)
	}
	h.Process = &Process{d: d, room: h.Room, Name: fmt.Sprintf("zun-compute-%d", n), args: args}
	return h
}

// Processes are all services, each once.
func (d *Deployment) Processes() []*Process {
	var all []*Process
	for _, host := range d.Hosts {
		all = append(all, host.Process)
	}
	for _, replica := range d.APIs {
		if !slices.Contains(all, replica) {
			all = append(all, replica)
		}
	}
	return all
}

// end stops everything and, if the test failed, shows what was logged.
func (d *Deployment) end(t *testing.T) {
	t.Helper()
	for _, p := range d.Processes() {
		p.Stop(t)
	}
	d.Engine.clear(t, d)
	if t.Failed() {
		d.ShowLogs(t)
	}
}

func (d *Deployment) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.Dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is one of the binaries with this deployment's configuration, in a room.
func (d *Deployment) command(room *Room, name string, args ...string) *exec.Cmd {
	args = append(args, "--config-file", filepath.Join(d.Dir, "zun.conf"))
	cmd := room.command(context.Background(), filepath.Join(d.bin, name), args...)
	cmd.Dir = d.Dir
	return cmd
}

func (d *Deployment) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := d.command(d.Room, name, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, complaints.String())
	}
	return string(out)
}

// Client speaks to the service as p, by the first door that opens.
func (d *Deployment) Client(p Person) *client.Client { return d.ClientAt(p, api.Version{}, d.Doors...) }

// ClientAt speaks a version (zero: the newest) to the service as p, by the first of
// doors that opens.
func (d *Deployment) ClientAt(p Person, version api.Version, doors ...string) *client.Client {
	knock := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Room.Knock(ctx, doors) }
	hc := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: knock}}
	url := "http://" + at(loopback, apiPort)
	auth := &client.Keystone{
		AuthURL: url + "/identity/v3", Username: p.Name, Password: password, ProjectName: p.Project,
		UserDomainName: "Default", ProjectDomainName: "Default", EndpointGiven: url + "/v1", HTTP: hc,
	}
	return client.New(client.Options{Auth: auth, HTTP: hc, Version: version})
}

// hostsUp says why a host cannot take containers.
func (d *Deployment) hostsUp(ctx context.Context) error {
	services, err := d.CLI.Services(ctx)
	if err != nil {
		return err
	}
	if len(services) != len(d.Hosts) {
		return fmt.Errorf("the services are %+v", services)
	}
	for _, s := range services {
		if s.State != "up" {
			return fmt.Errorf("the services are %+v", services)
		}
		host, err := d.CLI.Host(ctx, s.Host)
		if err == nil && host.CPUs == 0 {
			err = errors.New("it has not said what it offers")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Host, err)
		}
	}
	return nil
}

// ShowLogs prints the end of every log.
func (d *Deployment) ShowLogs(t *testing.T) {
	t.Helper()
	for _, p := range d.Processes() {
		data, err := os.ReadFile(p.Log())
		if err != nil {
			continue
		}
		lines := slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool {
			return strings.Contains(line, "method=GET") // the polls of the test
		})
		t.Logf("the end of the log of %s:\n%s", p.Name, strings.Join(lines[max(0, len(lines)-60):], "\n"))
	}
}

// lookEvery is how often Eventually looks.
const lookEvery = 50 * time.Millisecond

// Eventually polls until try gives no error, for SettleWithin; where replicas die in
// turn, each has its own time to come right. A machine that is too busy to look as often
// as that takes is given the looks that it missed: it was as slow for the service.
func (d *Deployment) Eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	begun, within := time.Now(), SettleWithin*time.Duration(len(d.Doors))
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for looks := 0; ; looks++ {
		err := try()
		if err == nil {
			return
		}
		if took := time.Since(begun); took > within && looks > int(within/lookEvery) || took > 5*within {
			t.Fatalf("after %s and %d looks it does not hold that %s: %v", took.Round(time.Second), looks, what, err)
		}
		<-tick.C
	}
}
