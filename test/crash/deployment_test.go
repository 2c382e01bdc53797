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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/failpoint"
)

// settleWithin is how long anything may take to come right after a crash.
const settleWithin = 30 * time.Second

// deployment is a control plane and an agent as two processes with the real link
// between them, in a directory of their own.
type deployment struct {
	dir, bin string
	engine   engine
	url      string
	api      *process
	compute  *process
	cli      *client.Client
}

// newDeployment starts everything and waits until the host can take containers.
func newDeployment(t *testing.T, e engine, database string) *deployment {
	t.Helper()
	bin := os.Getenv("ZUN_TEST_BIN")
	if bin == "" {
		t.Fatal("ZUN_TEST_BIN must name the directory of the built binaries; run make test SUITE=crash")
	}
	d := &deployment{dir: t.TempDir(), bin: bin, engine: e}
	ports := freePorts(t, 3)
	d.url = "http://" + ports[0]
	if database == "" {
		database = "sqlite:///" + filepath.Join(d.dir, "zun.db")
	}
	conf := fmt.Sprintf(`[DEFAULT]
state_path = %[1]s
host = crash-host
my_ip = 127.0.0.1
debug = true
graceful_shutdown_timeout = 5
[api]
host_ip = 127.0.0.1
port = %[2]s
link_address = %[3]s
[database]
connection = %[5]s
[agent]
control_address = %[3]s
listen = %[4]s
advertise_address = %[4]s
state_dir = %[1]s/agent
%[6]s
`, d.dir, port(ports[0]), ports[1], ports[2], database, e.config())
	d.write(t, "zun.conf", conf)
	d.run(t, "zun-db-manage", "upgrade")
	d.api = d.process("zun-api")
	token := strings.TrimSpace(d.run(t, "zun-api", "host-token", "crash-host"))
	d.compute = d.process("zun-compute", "--set", "agent.join_token="+token)
	d.api.start(t)
	d.compute.start(t)
	t.Cleanup(func() {
		d.compute.stop(t)
		d.api.stop(t)
		if t.Failed() {
			d.showLogs(t)
		}
	})
	d.login(t)
	eventually(t, "the host is up", func() error { return d.hostUp(t.Context()) })
	return d
}

func (d *deployment) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d *deployment) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(d.bin, name), append(args, "--config-file", filepath.Join(d.dir, "zun.conf"))...)
	cmd.Dir = d.dir
	return cmd
}

func (d *deployment) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := d.command(name, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, errs.String())
	}
	return string(out)
}

// login reads the credentials that the first start wrote.
func (d *deployment) login(t *testing.T) {
	t.Helper()
	var rc []byte
	eventually(t, "the first start wrote openrc", func() (err error) {
		rc, err = os.ReadFile(filepath.Join(d.dir, "openrc"))
		return err
	})
	env := map[string]string{}
	for line := range strings.Lines(string(rc)) {
		if key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); ok {
			env[key] = strings.Trim(value, `'"`)
		}
	}
	auth := &client.Keystone{
		AuthURL: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"], ProjectName: env["OS_PROJECT_NAME"],
		UserDomainName: env["OS_USER_DOMAIN_NAME"], ProjectDomainName: env["OS_PROJECT_DOMAIN_NAME"], EndpointGiven: d.url + "/v1",
	}
	d.cli = client.New(client.Options{Auth: auth, HTTP: &http.Client{Timeout: 10 * time.Second}})
	eventually(t, "the API answers", func() error {
		_, err := d.cli.Services(t.Context())
		return err
	})
}

func (d *deployment) hostUp(ctx context.Context) error {
	services, err := d.cli.Services(ctx)
	if err != nil {
		return err
	}
	for _, s := range services {
		if s.Host == "crash-host" && s.State == "up" {
			return nil
		}
	}
	return fmt.Errorf("no service is up: %+v", services)
}

func (d *deployment) showLogs(t *testing.T) {
	t.Helper()
	for _, name := range []string{"zun-api.log", "zun-compute.log"} {
		data, err := os.ReadFile(filepath.Join(d.dir, name))
		if err != nil {
			continue
		}
		lines := strings.Split(string(data), "\n")
		t.Logf("the end of %s:\n%s", name, strings.Join(lines[max(0, len(lines)-80):], "\n"))
	}
}

// process is one binary of the deployment, run as often as a test likes.
type process struct {
	d    *deployment
	name string
	args []string

	mu    sync.Mutex
	cmd   *exec.Cmd
	ended chan struct{}
}

func (d *deployment) process(name string, args ...string) *process {
	return &process{d: d, name: name, args: args}
}

// start runs the process with more environment.
func (p *process) start(t *testing.T, env ...string) {
	t.Helper()
	cmd := p.d.command(p.name, p.args...)
	cmd.Env = append(os.Environ(), env...)
	log, err := os.OpenFile(filepath.Join(p.d.dir, p.name+".log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	ended := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.ended = cmd, ended
	p.mu.Unlock()
	go func() {
		_ = cmd.Wait()
		_ = log.Close()
		close(ended)
	}()
}

func (p *process) done() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// stop ends the process gracefully, and with force if it does not.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	cmd, ended := p.cmd, p.ended
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop %s: %v", p.name, err)
	}
	select {
	case <-ended:
	case <-time.After(settleWithin):
		t.Errorf("%s did not stop when asked to", p.name)
		_ = cmd.Process.Kill()
		<-ended
	}
}

// arm restarts the process so that it dies at moment of window; the returned
// function tells whether it met the window.
func (p *process) arm(t *testing.T, window failpoint.Name, moment string) (met func() bool) {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	p.stop(t)
	p.start(t, failpoint.EnvArm+"="+string(window)+":"+moment, failpoint.EnvMark+"="+mark)
	return func() bool {
		_, err := os.Stat(mark)
		return err == nil
	}
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	addresses := make([]string, 0, n)
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses
}

func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return p
}

// eventually polls until try gives no error.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	limit := time.NewTimer(settleWithin)
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
			t.Fatalf("after %s it does not hold that %s: %v", settleWithin, what, err)
		}
	}
}
