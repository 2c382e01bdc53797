//go:build integration

package crash

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

	"github.com/go-zun/zun/client"
)

// settleWithin is how long anything may take to come right after a crash.
const settleWithin = 30 * time.Second

const hostName = "crash-host"

// plan says what a deployment is made of.
type plan struct {
	engine   engine
	postgres bool   // instead of SQLite
	replicas int    // of control; 0 is one
	settings string // more lines of zun.conf
}

// deployment is a control plane and an agent as processes of their own with the
// real link between them, in a room and a directory of their own.
type deployment struct {
	dir, bin string
	room     *room
	engine   engine
	database string
	apis     []*process
	compute  *process
	doors    []string // of the API, the one to knock at first first
	cli      *client.Client
}

// newDeployment starts everything and waits until the host can take containers.
func newDeployment(t *testing.T, p plan) *deployment {
	t.Helper()
	bin := os.Getenv("ZUN_TEST_BIN")
	if bin == "" {
		t.Fatal("ZUN_TEST_BIN must name the directory of the built binaries; run make test SUITE=crash")
	}
	d := &deployment{dir: t.TempDir(), bin: bin, room: newRoom(t), engine: p.engine}
	d.database = "sqlite:///" + filepath.Join(d.dir, "zun.db")
	if p.postgres {
		d.database = newPostgres(t)
	}
	replicas := max(1, p.replicas)
	d.write(t, "zun.conf", d.conf(replicas, p.settings))
	d.run(t, "zun-db-manage", "upgrade")
	for n := range replicas {
		d.apis = append(d.apis, d.api(n))
		d.doors = append(d.doors, address(apiPort, n))
	}
	t.Cleanup(func() { d.end(t) })
	token := strings.TrimSpace(d.run(t, "zun-api", "host-token", hostName))
	d.compute = &process{d: d, name: "zun-compute", args: []string{"zun-compute", "--set", "agent.join_token=" + token}}
	for _, api := range d.apis {
		api.mustStart(t)
	}
	d.compute.mustStart(t)
	d.login(t)
	d.eventually(t, "the host is up", func() error { return d.hostUp(t.Context()) })
	return d
}

// Ports can be fixed, because every room has its own.
const (
	apiPort   = 9517
	linkPort  = 9617
	agentPort = 9717
)

func address(first, n int) string { return fmt.Sprintf("127.0.0.1:%d", first+n) }

func (d *deployment) conf(replicas int, more string) string {
	var controls []string
	for n := range replicas {
		controls = append(controls, address(linkPort, n))
	}
	return fmt.Sprintf(`[DEFAULT]
state_path = %[1]s
host = %[2]s
my_ip = 127.0.0.1
debug = true
graceful_shutdown_timeout = 5
[database]
connection = %[3]s
[agent]
control_address = %[4]s
listen = %[5]s
advertise_address = %[5]s
state_dir = %[1]s/agent
%[6]s
%[7]s
`, d.dir, hostName, d.database, strings.Join(controls, ","), address(agentPort, 0), d.engine.config(), more)
}

func (d *deployment) api(n int) *process {
	return &process{d: d, name: fmt.Sprintf("zun-api-%d", n), args: []string{"zun-api",
		"--set", "api.host_ip=127.0.0.1", "--set", fmt.Sprintf("api.port=%d", apiPort+n), "--set", "api.link_address=" + address(linkPort, n)}}
}

// end stops everything and, if the test failed, shows what was logged.
func (d *deployment) end(t *testing.T) {
	t.Helper()
	if d.compute != nil {
		d.compute.stop(t)
	}
	for _, api := range d.apis {
		api.stop(t)
	}
	d.engine.clear(t, d)
	if t.Failed() {
		d.showLogs(t)
	}
}

func (d *deployment) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// command is one of the binaries with this deployment's configuration.
func (d *deployment) command(name string, args ...string) *exec.Cmd {
	args = append(args, "--config-file", filepath.Join(d.dir, "zun.conf"))
	cmd := d.room.command(context.Background(), filepath.Join(d.bin, name), args...)
	cmd.Dir = d.dir
	return cmd
}

func (d *deployment) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := d.command(name, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, complaints.String())
	}
	return string(out)
}

// login reads the credentials that the first start wrote.
func (d *deployment) login(t *testing.T) {
	t.Helper()
	env := map[string]string{}
	d.eventually(t, "the first start wrote openrc", func() error {
		rc, err := os.ReadFile(filepath.Join(d.dir, "openrc"))
		for line := range strings.Lines(string(rc)) {
			if key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); ok {
				env[key] = strings.Trim(value, `'"`)
			}
		}
		return err
	})
	hc := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: d.knock}}
	auth := &client.Keystone{
		AuthURL: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"], ProjectName: env["OS_PROJECT_NAME"],
		UserDomainName: env["OS_USER_DOMAIN_NAME"], ProjectDomainName: env["OS_PROJECT_DOMAIN_NAME"],
		EndpointGiven: "http://" + address(apiPort, 0) + "/v1", HTTP: hc,
	}
	d.cli = client.New(client.Options{Auth: auth, HTTP: hc})
}

// knock reaches the first replica that opens, as a load balancer would, whatever
// address was asked for.
func (d *deployment) knock(ctx context.Context, _, _ string) (conn net.Conn, err error) {
	for _, door := range d.doors {
		if conn, err = d.room.dial(ctx, door); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// hostUp says why the host cannot take containers.
func (d *deployment) hostUp(ctx context.Context) error {
	services, err := d.cli.Services(ctx)
	if err != nil {
		return err
	}
	if len(services) != 1 || services[0].State != "up" {
		return fmt.Errorf("the services are %+v", services)
	}
	host, err := d.cli.Host(ctx, hostName)
	if err == nil && host.CPUs == 0 {
		err = errors.New("it has not said what it offers")
	}
	return err
}

// showLogs prints the end of every log.
func (d *deployment) showLogs(t *testing.T) {
	t.Helper()
	for _, p := range append([]*process{d.compute}, d.apis...) {
		if p == nil {
			continue
		}
		data, err := os.ReadFile(p.log())
		if err != nil {
			continue
		}
		lines := slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool {
			return strings.Contains(line, "method=GET") // the polls of this very test
		})
		t.Logf("the end of the log of %s:\n%s", p.name, strings.Join(lines[max(0, len(lines)-60):], "\n"))
	}
}

// eventually polls until try gives no error. Where replicas die in turn, each has
// its own time to come right.
func (d *deployment) eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	within := settleWithin * time.Duration(len(d.doors))
	limit := time.NewTimer(within)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("after %s it does not hold that %s: %v", within, what, err)
		}
	}
}
