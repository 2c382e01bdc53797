//go:build integration

package console

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
)

// patience bounds every wait: far longer than a busy machine takes.
const patience = 2 * time.Minute

// deployment is the service as three processes in a directory of its own.
type deployment struct {
	t        *testing.T
	dir, bin string
	api      string // host:port
	door     string // host:port of zun-wsproxy
	figures  string // host:port of its /metrics
	env      []string
	service  *process
	compute  *process
	proxy    *process
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{t: t, dir: t.TempDir(), bin: must(t, "ZUN_TEST_BIN")}
	ports := freePorts(t, 5)
	d.api, d.door = "127.0.0.1:"+ports[0], "127.0.0.1:"+ports[1]
	d.figures = "127.0.0.1:" + ports[4]
	d.write("zun.conf", fmt.Sprintf(`[DEFAULT]
state_path = %[1]s
host = console-host
my_ip = 127.0.0.1
[api]
host_ip = 127.0.0.1
port = %[2]s
link_address = 127.0.0.1:%[3]s
extensions = true
[engine]
log_max_size = 524288
[database]
connection = sqlite:///%[1]s/zun.db
[agent]
control_address = 127.0.0.1:%[3]s
listen = 127.0.0.1:%[4]s
advertise_address = 127.0.0.1:%[4]s
[websocket_proxy]
wsproxy_port = %[5]s
metrics_address = %[7]s
base_url = ws://127.0.0.1:%[5]s/
inside_api = true
[docker]
api_url = %[6]s
[local]
ipv4_pool = 10.198.0.0/16
ipv6_pool = fd5a:76aa::/48
`, d.dir, ports[0], ports[2], ports[3], ports[1], must(t, "ZUN_TEST_DOCKER"), d.figures))
	d.run("zun-db-manage", "upgrade")
	t.Cleanup(d.left)
	d.service = d.process("zun-api")
	d.compute = d.process("zun-compute", "--set", "agent.join_token="+d.run("zun-api", "host-token", "console-host"))
	d.proxy = d.process("zun-wsproxy", "--set", "websocket_proxy.join_token="+d.run("zun-api", "door-token", "console-host"))
	d.login()
	d.eventually("the host told what it offers", func() bool { // it is up before that, and takes nothing
		hosts, err := d.client().Hosts(t.Context(), client.ListOptions{})
		return err == nil && len(hosts) == 1 && hosts[0].CPUs > 0
	})
	d.eventually("the console door listens", func() bool {
		conn, err := net.Dial("tcp", d.door)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return d
}

// of is the deployment for a test within the one that made it, which fails and cleans
// up by itself.
func (d *deployment) of(t *testing.T) *deployment {
	within := *d
	within.t = t
	return &within
}

func must(t *testing.T, name string) string {
	t.Helper()
	v := os.Getenv(name)
	if v == "" {
		t.Fatalf("%s is not set; run make test SUITE=console", name)
	}
	return v
}

func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

func (d *deployment) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *deployment) command(name string, args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(d.bin, name), append(args, "--config-file", filepath.Join(d.dir, "zun.conf"))...)
}

func (d *deployment) run(name string, args ...string) string {
	d.t.Helper()
	out, err := d.command(name, args...).Output()
	if err != nil {
		d.t.Fatalf("%s %v: %v", name, args, err)
	}
	return strings.TrimSpace(string(out))
}

// left has the host leave, which is over by then, and looks whether it is bare.
func (d *deployment) left() {
	if _, err := os.Stat(filepath.Join(d.dir, "agent", "trust", "identity.pem")); err != nil {
		return // it never joined
	}
	told, err := os.ReadFile(filepath.Join(d.dir, "zun-compute.log"))
	if err != nil {
		d.t.Fatal(err)
	}
	joined := regexp.MustCompile(`deployment=(\S+)`).FindSubmatch(told)
	if joined == nil {
		d.t.Fatal("the host does not say what it joined")
	}
	d.run("zun-compute", "teardown")
	links, err := net.Interfaces()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, link := range links {
		if strings.HasPrefix(link.Name, mark.NewOwner(string(joined[1])).BridgePrefix()) {
			d.t.Errorf("%s is left", link.Name)
		}
	}
	if again, err := d.command("zun-compute", "teardown").CombinedOutput(); err == nil || !strings.Contains(string(again), "joined no deployment") {
		d.t.Errorf("to leave again: %v, %s", err, again)
	}
}

// process is one that the test started.
type process struct {
	cmd   *exec.Cmd
	start func(args ...string)
	end   func()
}

// process starts a service. It ends after all that was made later in the test is
// gone, also if it was ended and started again meanwhile.
func (d *deployment) process(name string, args ...string) *process {
	d.t.Helper()
	log, err := os.Create(filepath.Join(d.dir, name+".log"))
	if err != nil {
		d.t.Fatal(err)
	}
	p := &process{}
	p.start = func(args ...string) {
		cmd, ended := d.command(name, args...), make(chan struct{})
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			d.t.Fatal(err)
		}
		go func() { defer close(ended); _ = cmd.Wait() }()
		p.cmd = cmd
		p.end = func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case <-ended:
			case <-time.After(patience):
				_ = cmd.Process.Kill()
				<-ended
			}
		}
	}
	p.start(args...)
	d.t.Cleanup(func() {
		p.end()
		_ = log.Close()
		if d.t.Failed() {
			text, _ := os.ReadFile(log.Name())
			d.t.Logf("%s:\n%s", name, text[max(0, len(text)-4000):])
		}
	})
	return p
}

// login reads the log-in that the first start wrote.
func (d *deployment) login() {
	d.t.Helper()
	d.eventually("the first start wrote openrc", func() bool {
		_, err := os.Stat(filepath.Join(d.dir, "openrc"))
		return err == nil
	})
	out, err := exec.Command("bash", "-c", "set -a; . "+filepath.Join(d.dir, "openrc")+"; env").Output()
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "OS_") || strings.HasPrefix(line, "PATH=") || strings.HasPrefix(line, "HOME=") {
			d.env = append(d.env, strings.TrimSpace(line))
		}
	}
	d.env = append(d.env, "TERM=dumb", "PYTHONWARNINGS=ignore", "LC_ALL=C.UTF-8")
}

// zun is our client.
func (d *deployment) zun(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(d.bin, "zun"), args...)
	cmd.Env = d.env
	return cmd
}

// client is our SDK, logged in like the commands.
func (d *deployment) client() *client.Client { return d.clientOver(http.DefaultTransport) }

// clientOver is one whose requests go by way.
func (d *deployment) clientOver(way http.RoundTripper) *client.Client {
	env := map[string]string{}
	for _, pair := range d.env {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	over := &http.Client{Transport: way}
	return client.New(client.Options{HTTP: over, Auth: &client.Keystone{
		AuthURL: env["OS_AUTH_URL"], Username: env["OS_USERNAME"], Password: env["OS_PASSWORD"], UserDomainName: env["OS_USER_DOMAIN_NAME"],
		ProjectName: env["OS_PROJECT_NAME"], ProjectDomainName: env["OS_PROJECT_DOMAIN_NAME"], HTTP: over,
	}})
}

// container runs an interactive shell and returns its name; it is deleted at the end.
func (d *deployment) container(name string) string {
	d.t.Helper()
	out, err := d.zun("run", "--name", name, "--interactive", "--image-pull-policy", "never", "--wait", "cirros", "sh").CombinedOutput()
	if err != nil {
		d.t.Fatalf("run: %v\n%s", err, out)
	}
	d.t.Cleanup(func() {
		if out, err := d.zun("delete", "--force", "--wait", name).CombinedOutput(); err != nil {
			d.t.Errorf("delete: %v\n%s", err, out)
		}
	})
	return name
}

// inside runs a command in a container and returns what it printed.
func (d *deployment) inside(name string, words ...string) string {
	d.t.Helper()
	out, err := d.zun(append([]string{"exec", name}, words...)...).Output()
	if err != nil {
		d.t.Logf("exec %v: %v", words, err)
	}
	return string(out)
}

func (d *deployment) eventually(what string, done func() bool) {
	d.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			d.t.Fatalf("never: %s", what)
		}
	}
}
