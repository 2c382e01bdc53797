//go:build integration

package console

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// prefix is the path under which users see the door.
const prefix = "/cloud/consoles/"

// TestBehindAReverseProxy has nginx stand before an encrypted door, as users see it: one
// way leaves the path on, another takes it off. Both ways, and the door itself, are tried.
func TestBehindAReverseProxy(t *testing.T) {
	t.Parallel()
	d := newDeployment(t)
	roots := d.certificate(t)
	ports := freePorts(t, 2)
	d.nginx(t, ports[0], ports[1])
	seen := "--set=websocket_proxy.base_url=wss://127.0.0.1:" + ports[0] + prefix
	d.service.end()
	d.service.start(seen)
	d.proxy.end()
	d.proxy.start(seen, "--set=websocket_proxy.cert="+filepath.Join(d.dir, "cert.pem"), "--set=websocket_proxy.key="+filepath.Join(d.dir, "key.pem"),
		"--set=websocket_proxy.ssl_only=true", "--set=api.trusted_proxies=127.0.0.1/32")
	d.env = append(d.env, "OS_CACERT="+filepath.Join(d.dir, "cert.pem"))
	d.eventually("the service answers again", func() bool { return d.zun("list").Run() == nil })
	box := d.container("box")

	cmd := d.zun("exec", "-i", box, "sh")
	cmd.Stdin = strings.NewReader("echo through; exit 7\n")
	if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 || string(out) != "through\n" {
		t.Errorf("our client ended with %d: %s", cmd.ProcessState.ExitCode(), out)
	}
	for name, at := range map[string]string{
		"the path left on": "wss://127.0.0.1:" + ports[0] + prefix, "the path taken off": "wss://127.0.0.1:" + ports[1] + prefix, "the door itself": "wss://" + d.door + prefix,
	} {
		if status, answer := d.visit(t, box, at, roots); status != http.StatusSwitchingProtocols {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	if status, answer := d.visit(t, box, "ws://"+d.door+prefix, roots); status != http.StatusForbidden || !strings.Contains(answer, "use wss:") {
		t.Errorf("without encryption: %d %s", status, answer)
	}
	log, err := os.ReadFile(filepath.Join(d.dir, "zun-wsproxy.log"))
	if err != nil {
		t.Fatal(err)
	}
	if told := bytes.Count(log, []byte(visitor)); told < 3 || bytes.Contains(log, []byte(forged)) {
		t.Errorf("the records name the visitor %d times: %s", told, log)
	}
}

// visitor is where visits come from, and forged where they say they come from.
const visitor, forged = "127.0.0.77", "203.0.113.9"

// visit opens a session at an address with a forged past, and has it say a word.
func (d *deployment) visit(t *testing.T, box, at string, roots *x509.CertPool) (status int, said string) {
	t.Helper()
	_, address, err := d.client().ExecSession(t.Context(), box, "echo hello", false)
	if err != nil {
		t.Fatal(err)
	}
	_, ticket, _ := strings.Cut(address, "?")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}
	over := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	conn, answer, err := websocket.Dial(ctx, at+"?"+ticket, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: over}, Subprotocols: []string{"binary"}, HTTPHeader: http.Header{"X-Forwarded-For": {forged}},
	})
	if answer == nil {
		t.Fatal(err)
	}
	if err != nil {
		text, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(text)
	}
	defer func() { _ = conn.CloseNow() }()
	for !strings.Contains(said, "hello\n") {
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatalf("at %s after %q: %v", at, said, err)
		}
		said += string(data)
	}
	return answer.StatusCode, said
}

// nginx serves users at two ports with the door's certificate. At the first it leaves the
// path on and speaks plainly to the door, which believes it; at the second neither.
func (d *deployment) nginx(t *testing.T, on, off string) {
	t.Helper()
	way := func(port, to string) string {
		return fmt.Sprintf(`server {
  listen 127.0.0.1:%s ssl;
  location %s {
    proxy_pass %s;
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection upgrade;
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header X-Forwarded-Proto $scheme;
  }
}
`, port, prefix, to)
	}
	temporary := ""
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/nginx-%s;\n", what, d.dir, what)
	}
	d.write("nginx.conf", fmt.Sprintf("daemon off; master_process off; pid %[1]s/nginx.pid; error_log stderr;\nevents {}\nhttp {\naccess_log off;\n%[2]s"+
		"ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;\n%[3]s%[4]s}\n", d.dir, temporary, way(on, "http://"+d.door), way(off, "https://"+d.door+"/")))
	var said bytes.Buffer
	cmd := exec.Command("/usr/sbin/nginx", "-c", filepath.Join(d.dir, "nginx.conf"), "-e", "stderr")
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", said.String())
		}
	})
}

// certificate writes one for this machine, which is its own authority.
func (d *deployment) certificate(t *testing.T) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	d.write("cert.pem", string(text))
	d.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots
}
