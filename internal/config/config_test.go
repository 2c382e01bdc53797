package config_test

import (
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/kit/printed"
)

var update = flag.Bool("update", false, "write docs/reference/config.md anew")

// write puts text into a file of the test and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func source(files ...string) config.Source {
	return config.Source{Files: files, Hostname: "node1", Address: "192.0.2.7"}
}

// load reads text as the only file.
func load(t *testing.T, text string) (config.Config, []config.Warning, error) {
	t.Helper()
	return config.Load(source(write(t, "zun.conf", text)))
}

func TestDefaults(t *testing.T) {
	c, warnings, err := load(t, "")
	if err != nil || len(warnings) != 0 {
		t.Fatalf("Load() = %v, %v", warnings, err)
	}
	for name, pair := range map[string][2]any{
		"host":        {c.Agent.Host, "node1"},
		"agent host":  {c.Agent.Host, "node1"},
		"api":         {c.API.Listen, "192.0.2.7:9517"},
		"link":        {c.API.LinkAddress, ":9518"},
		"advertise":   {c.Agent.AdvertiseAddress, "192.0.2.7:9519"},
		"database":    {c.Database.Connection, "sqlite:////var/lib/zun/zun.db"},
		"engine":      {c.Engine.Driver, "docker"},
		"log size":    {c.Engine.LogMaxBytes, int64(10 << 20)},
		"base url":    {c.WebSocket.BaseURL, "ws://192.0.2.7:6784/"},
		"quota":       {c.Quota, config.Quota{Enforced: true, Containers: 40, CPU: 20, MemoryMB: 51200, DiskGB: 100, Images: 40}},
		"silence":     {c.Deadlines.Silence, 5 * time.Minute},
		"down":        {c.Deadlines.HostDown, 3 * time.Minute},
		"cpu":         {c.Defaults.CPU, 1.0},
		"ratio":       {c.Compute.CPURatio, 16.0},
		"policy":      {c.Policy.Required, false},
		"image":       {strings.Join(c.Defaults.ImageDrivers, " "), "glance docker"},
		"ipv4 pool":   {c.Local.IPv4Pool[0].String(), "10.152.0.0/16"},
		"methods":     {len(c.CORS.Methods), 5},
		"level":       {c.Log.Level, slog.LevelInfo},
		"token life":  {c.Identity.TokenLife, time.Hour},
		"swap":        {c.Defaults.MemorySwapMB, int64(-1)},
		"tls only":    {c.WebSocket.TLSOnly, false},
		"unique name": {c.Compute.UniqueNames, ""},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s = %v, want %v", name, pair[0], pair[1])
		}
	}
}

func TestDialect(t *testing.T) {
	c, warnings, err := load(t, `
# a comment
; another
[default]
host : "quoted name"
debug=YES
log_dir = /var/log/zun
log_file = zun.log
image_driver_list = docker,
    glance
state_path = /srv/$host/\$x$$y
[API]
port = 1
port = 9000
trusted_proxies = 10.1.2.3/8, 2001:db8::1
[compute]
cpu_allocation_ratio = 2.5
[oslo_policy]
policy_dirs = /etc/a
policy_dirs = b
policy_file = mine.yaml
[engine]
log_max_size = 1G
[local]
ipv6_pool =
[identity]
region_name = ${DEFAULT.host}-$identity.driver.
[quota]
driver = NoopQuotaDriver
`)
	if err != nil || len(warnings) != 0 {
		t.Fatalf("Load() = %v, %v", warnings, err)
	}
	for name, pair := range map[string][2]string{
		"quotes":        {c.Agent.Host, "quoted name"},
		"escapes":       {c.StatePath, "/srv/quoted name/$x$y"},
		"last wins":     {c.API.Listen, "192.0.2.7:9000"},
		"continued":     {strings.Join(c.Defaults.ImageDrivers, "+"), "docker+glance"},
		"repeatable":    {c.Policy.Dirs[0], "/etc/a"},
		"section names": {c.Identity.Region, "quoted name-static."},
		"log file":      {c.Log.File, "/var/log/zun/zun.log"},
		"masked prefix": {c.API.TrustedProxies[0].String(), "10.0.0.0/8"},
		"one address":   {c.API.TrustedProxies[1].String(), "2001:db8::1/128"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", name, pair[0], pair[1])
		}
	}
	if len(c.Policy.Dirs) != 2 || filepath.Base(c.Policy.Dirs[1]) != "b" || !filepath.IsAbs(c.Policy.Dirs[1]) || !c.Policy.Required {
		t.Errorf("policy = %+v, want both directories, the relative one beside the file", c.Policy)
	}
	if c.Log.Level != slog.LevelDebug || c.Engine.LogMaxBytes != 1<<30 || c.Local.IPv6Pool != nil || c.Quota.Enforced || c.Compute.CPURatio != 2.5 {
		t.Errorf("got %v %v %v %v %v", c.Log.Level, c.Engine.LogMaxBytes, c.Local.IPv6Pool, c.Quota.Enforced, c.Compute.CPURatio)
	}
}

func TestSeveralPlaces(t *testing.T) {
	first := write(t, "a.conf", "[api]\nport = 1\nmax_limit = 5\n[oslo_policy]\npolicy_dirs = /one\n")
	second := write(t, "b.conf", "[api]\nport = 2\n[oslo_policy]\npolicy_dirs = /two\n")
	third := write(t, "c.conf", "[DEFAULT]\nhost = third\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(third), "ignored.txt"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := source(first, second)
	s.Dirs = []string{filepath.Dir(third)}
	s.Set = []string{"api.host_ip=::1", "default.default_cpu=2"}
	c, _, err := config.Load(s)
	if err != nil {
		t.Fatal(err)
	}
	if c.API.Listen != "[::1]:2" || c.API.MaxLimit != 5 || c.Agent.Host != "third" || c.Defaults.CPU != 2 {
		t.Errorf("merged wrongly: %+v %s %v", c.API, c.Agent.Host, c.Defaults.CPU)
	}
	if !slices.Equal(c.Policy.Dirs, []string{"/one", "/two"}) {
		t.Errorf("a repeatable option of two files = %v", c.Policy.Dirs)
	}
}

func TestFaultsNamePlaceAndExpectation(t *testing.T) {
	for text, want := range map[string]string{
		"[api]\n\nport = ninety":                    `zun.conf:3: api.port: "ninety": expected a whole number`,
		"[api]\nport = 65536":                       `zun.conf:2: api.port: "65536": expected at most 65535`,
		"[api]\nhost_ip = here":                     `api.host_ip: "here": expected an IPv4 or IPv6 address`,
		"[api]\nenable_ssl_api = si":                `api.enable_ssl_api: "si": expected true or false`,
		"[api]\ntrusted_proxies = 10/8":             `"10/8": expected a network such as`,
		"[api]\npublic_endpoint = zun.example":      "expected a URI with its scheme",
		"[quota]\ncontainers = -2":                  `quota.containers: "-2": expected at least -1`,
		"[engine]\ndriver = lxd":                    `engine.driver: "lxd": expected one of "docker", "fake"`,
		"[engine]\nlog_max_size = 9999999999g":      "expected a size in bytes",
		"[deadlines]\nsilence = 5m":                 "expected a whole number",
		"default_cpu = NaN":                         "expected a number",
		"[compute]\nreserve_disk_for_image = 1.5":   "expected at most 1",
		"host = $hots":                              "DEFAULT.host: $hots names no option (write $$ for a plain dollar)",
		"[docker]\ndefault_registry_password = a$b": "docker.default_registry_password: $name in it names no option (write $$ for a plain dollar)",
		"host = $state_path\nstate_path = /$host":   "refers to itself: DEFAULT.host -> DEFAULT.state_path -> DEFAULT.host",
		"[api\nport = 1":                            "zun.conf:1: a section must be written as [name]",
		"port":                                      `zun.conf:1: expected "option = value"`,
		"= 3":                                       `an option's name is missing before "="`,
		"host = a\n# comment\n b":                   "zun.conf:3: an indented line continues an option, but none stands before it",
		"   port = 3":                               "an indented line continues an option, but none stands before it",
		"[engine]\npids_limit = 1 # inline comment": `"1 # inline comment": expected a whole number`,
	} {
		_, _, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func TestContradictions(t *testing.T) {
	for text, want := range map[string]string{
		"\nmaximum_cpus = 0.01":                       "zun.conf:2: DEFAULT.maximum_cpus: expected at least minimum_cpus, 0.1",
		"minimum_memory = 9000":                       "DEFAULT.maximum_memory: expected at least minimum_memory, 9000",
		"maximum_disk = 0":                            "expected at least minimum_disk",
		"default_image_driver = tar":                  `"tar": expected one of image_driver_list, [glance docker]`,
		"[deadlines]\ntotal = 10":                     "expected at least [deadlines] silence, 5m0s",
		"[api]\nenable_ssl_api = on":                  "expected [ssl] cert_file and key_file",
		"[websocket_proxy]\nssl_only = on":            "websocket_proxy.ssl_only: expected cert and key",
		"[websocket_proxy]\nkey = /k":                 "expected cert and key together",
		"[docker]\ncert_file = /c":                    "expected cert_file and key_file together",
		"[identity]\ndriver = keystone":               "expected [keystone_authtoken] auth_url",
		"[local]\nipv4_pool = fd00::/8":               "expected one IPv4 network",
		"[local]\nipv4_pool =":                        "expected one IPv4 network",
		"[local]\nipv6_pool = fd00::/48, fd01::/48":   "expected one IPv6 network, or none",
		"[agent]\nlisten = 9519":                      `agent.listen: "9519": expected host:port`,
		"[agent]\ncontrol_address = zun.example:http": "expected host:port",
		"[agent]\ncontrol_address = a:1, b":           `"b": expected host:port`,
	} {
		_, _, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
		var out strings.Builder
		if err := config.Check(&out, source(write(t, "zun.conf", text))); err == nil || !strings.Contains(out.String(), "error: ") {
			t.Errorf("%q: Check() = %v, %q", text, err, out.String())
		}
	}
}

func TestAddressesOfVersionSix(t *testing.T) {
	c, _, err := load(t, "my_ip = 2001:db8::7\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.API.Listen != "[2001:db8::7]:9517" || c.Agent.AdvertiseAddress != "[2001:db8::7]:9519" || c.WebSocket.BaseURL != "ws://[2001:db8::7]:6784/" {
		t.Errorf("got %s, %s, %s", c.API.Listen, c.Agent.AdvertiseAddress, c.WebSocket.BaseURL)
	}
}

func TestAllFaultsAreReportedInOrder(t *testing.T) {
	_, _, err := load(t, "[api]\nport = x\nmax_limit = y\n[quota]\ncpu = z\njunk\n")
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 || !strings.Contains(lines[0], ":2:") || !strings.Contains(lines[3], ":6:") {
		t.Errorf("got %q", lines)
	}
}

func TestMissingPlaces(t *testing.T) {
	if _, _, err := config.Load(source(filepath.Join(t.TempDir(), "none.conf"))); err == nil || !strings.Contains(err.Error(), "open configuration file") {
		t.Errorf("a named file that is missing: %v", err)
	}
	s := source(write(t, "zun.conf", ""))
	s.Dirs = []string{filepath.Join(t.TempDir(), "none")}
	if _, _, err := config.Load(s); err == nil || !strings.Contains(err.Error(), "read configuration directory") {
		t.Errorf("a named directory that is missing: %v", err)
	}
	s = source(write(t, "zun.conf", ""))
	s.Set = []string{"port=1"}
	if _, _, err := config.Load(s); err == nil || !strings.Contains(err.Error(), "expected section.option=value") {
		t.Errorf("a setting without a section: %v", err)
	}
}

func TestWarnings(t *testing.T) {
	for text, want := range map[string]string{
		"[api]\nprot = 1":                             `zun.conf:2: unknown option api.prot: did you mean "port"?`,
		"[apis]\nport = 1":                            `unknown section [apis]: did you mean "api"?`,
		"[something_else]\nport = 1":                  "unknown section [something_else]",
		"[oslo_messaging_rabbit]\nheartbeat = 1":      "oslo_messaging_rabbit.heartbeat has no effect: control and agents call each other directly",
		"[keystone_authtoken]\nmemcached_servers = a": "memcached_servers has no effect",
		"[cni_daemon]\nworker_num = x":                "cni_daemon.worker_num has no effect",
		"transport_url = rabbit://u:p@h":              "DEFAULT.transport_url has no effect",
	} {
		_, warnings, err := load(t, text)
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0].String(), want) {
			t.Errorf("%q: %v, %v; want %q", text, warnings, err, want)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	file := write(t, "zun.conf", `
[database]
connection = mysql+pymysql://zun:hunter2@db/zun
[agent]
join_token = hunter2
[docker]
default_registry_password = hunter2
[keystone_authtoken]
password = hunter2$nothing
`)
	var out strings.Builder
	if err := config.Check(&out, source(file)); err == nil {
		t.Error("Check() accepted a reference to nothing")
	}
	if err := os.WriteFile(file, []byte("[database]\nconnection = mysql+pymysql://zun:hunter2@db/zun\n[agent]\njoin_token = hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := config.Show(&out, source(file)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a secret is shown:\n%s", out.String())
	}
	for _, want := range []string{"connection = mysql+pymysql://zun:****@db/zun  # " + file + ":2", "join_token = ****", "port = 9517  # default"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("Show() lacks %q:\n%s", want, out.String())
		}
	}
}

func TestSampleIsUsableWhenUncommented(t *testing.T) {
	var out strings.Builder
	if err := config.Sample(&out); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(line, "(host name)") && !strings.Contains(line, "(detected IPv4)") && !strings.HasPrefix(line, "# ") {
			line = strings.TrimPrefix(line, "#")
		}
		lines = append(lines, line)
	}
	sampled, warnings, err := load(t, strings.Join(lines, ""))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("the sample does not load: %v %v", warnings, err)
	}
	plain, _, err := load(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if sampled.API.Listen != plain.API.Listen || !reflect.DeepEqual(sampled.Agent, plain.Agent) || sampled.Bounds != plain.Bounds || sampled.Compute != plain.Compute {
		t.Errorf("the sample changes defaults: %+v, want %+v", sampled, plain)
	}
}

func TestCheckSaysWhatItFound(t *testing.T) {
	var out strings.Builder
	if err := config.Check(&out, source(write(t, "zun.conf", "[api]\nprot = 1\n"))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "warning: ") || !strings.Contains(out.String(), "usable (1 warnings)") {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	if err := config.Check(&out, source(write(t, "zun.conf", "[api]\nport = x\nmax_limit = 0\n"))); err == nil || !strings.Contains(err.Error(), "2 errors") {
		t.Errorf("Check() = %v: %q", err, out.String())
	}
}

func TestReferenceIsPrintedFromTheTable(t *testing.T) {
	var want strings.Builder
	if err := config.Reference(&want); err != nil {
		t.Fatal(err)
	}
	printed.Hold(t, "../../docs/reference/config.md", want.String(), *update)
}

func FuzzLoad(f *testing.F) {
	f.Add("[api]\nport = $a.b\n c\n")
	f.Add("host=${DEFAULT.host}\n[x")
	f.Add("image_driver_list = 'a,b', \"\n[local]\nipv4_pool = ::/0,")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, "fuzz.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := config.Load(source(file)); err != nil && err.Error() == "" {
			t.Error("a fault without a text")
		}
		if err := config.Check(io.Discard, source(file)); err != nil && err.Error() == "" {
			t.Error("a check that fails without a text")
		}
	})
}
