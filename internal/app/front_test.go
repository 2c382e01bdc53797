package app

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/link/inproc"
)

// served is the real front door over a database of its own, without a host.
type served struct {
	t       testing.TB
	address string
	client  *http.Client
	token   string
	door    http.Handler
}

// assembled is the control side of a process, without its loops.
type assembled struct {
	config config.Config
	brain  *brain
	door   http.Handler
}

// assemble puts the control side together with set, in the form of --set, over a
// database of its own.
func assemble(t testing.TB, set ...string) assembled {
	t.Helper()
	state := t.TempDir()
	all := append([]string{
		"DEFAULT.state_path=" + state, "DEFAULT.my_ip=127.0.0.1", "api.host_ip=127.0.0.1", "api.port=0",
		"database.connection=sqlite:///" + filepath.Join(state, "zun.db"),
	}, set...)
	c, _, err := config.Load(config.Source{Set: all, Files: []string{os.DevNull}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	store, err := openStore(t.Context(), c, log, true)
	if err != nil {
		t.Fatal(err)
	}
	m := newMetrics()
	b, err := newBrain(t.Context(), c, log, store, inproc.NewNetwork().Dial, m)
	if err != nil {
		t.Fatal(err)
	}
	door, err := newDoor(c, b, m, log)
	if err != nil {
		t.Fatal(err)
	}
	return assembled{config: c, brain: b, door: door}
}

// serve starts the front door with set, in the form of --set.
func serve(t testing.TB, client *http.Client, set ...string) *served {
	t.Helper()
	a := assemble(t, set...)
	listener, err := listenFront(t.Context(), a.config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- newFront(listener, a.door, time.Second, slog.New(slog.DiscardHandler)).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, a.brain.close()); err != nil {
			t.Error(err)
		}
	})
	s := &served{t: t, address: listener.Addr().String(), client: client, door: a.door}
	s.login(a.config)
	return s
}

// credentials is the body of a log-in as the generated administrator.
func credentials(t testing.TB, c config.Config) string {
	t.Helper()
	content, err := os.ReadFile(c.Identity.OpenRCFile)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "OS_PASSWORD=")
	password, _, _ := strings.Cut(rest, "\n")
	password = strings.Trim(password, `'"`)
	return `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":"` + password +
		`"}}},"scope":{"project":{"name":"admin","domain":{"id":"default"}}}}}`
}

// login takes a token as the generated administrator.
func (s *served) login(c config.Config) {
	s.t.Helper()
	r := s.do("POST", identityPath+"/v3/auth/tokens", credentials(s.t, c), nil)
	if s.token = r.Header.Get("X-Subject-Token"); s.token == "" {
		s.t.Fatalf("no token: %s", r.Status)
	}
}

// do sends a request to the address, over TLS if the client has settings for it.
func (s *served) do(method, path, body string, header map[string]string) *http.Response {
	s.t.Helper()
	scheme := "http"
	if t, ok := s.client.Transport.(*http.Transport); ok && t.TLSClientConfig != nil {
		scheme = "https"
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, scheme+"://"+s.address+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", s.token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// selfLink returns where the version document says that the API is.
func (s *served) selfLink(path string, header map[string]string) string {
	s.t.Helper()
	answer := s.do("GET", path, "", header)
	var root api.Root
	if err := json.NewDecoder(answer.Body).Decode(&root); err != nil || len(root.Versions) == 0 {
		s.t.Fatalf("%s of %s: %v", answer.Status, path, err)
	}
	return root.Versions[0].Links[0].Href
}

// certificate writes a certificate for 127.0.0.1 and its key.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "zun"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for file, content := range map[string][]byte{certFile: certPEM, keyFile: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}

func TestTheFrontSpeaksTLS(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}}
	s := serve(t, client, "api.enable_ssl_api=true", "ssl.cert_file="+certFile, "ssl.key_file="+keyFile)
	if got := s.selfLink("/", nil); got != "https://"+s.address+"/v1/" {
		t.Errorf("the link leads to %s", got)
	}
	if answer := s.do("GET", "/v1/containers", "", nil); answer.StatusCode != 200 || answer.TLS == nil || answer.ProtoMajor != 2 {
		t.Errorf("%s over HTTP/%d", answer.Status, answer.ProtoMajor)
	}
	plain := &http.Client{}
	answer, err := plain.Get("http://" + s.address + "/")
	if err != nil || answer.StatusCode != 400 {
		t.Errorf("plain HTTP on the TLS port: %v, %v", answer, err)
	}
	if err == nil {
		_ = answer.Body.Close()
	}
	client.CloseIdleConnections()
}

func TestTheFrontAsksForClientCertificatesOfItsAuthority(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	settings, err := serverTLS(config.SSL{CertFile: certFile, KeyFile: keyFile, CAFile: certFile})
	if err != nil || settings.ClientAuth != tls.RequireAndVerifyClientCert || !settings.ClientCAs.Equal(roots) {
		t.Errorf("%+v, %v", settings, err)
	}
	for name, c := range map[string]config.SSL{
		"no certificate": {CertFile: os.DevNull, KeyFile: keyFile},
		"no authority":   {CertFile: certFile, KeyFile: keyFile, CAFile: keyFile},
		"no such file":   {CertFile: certFile, KeyFile: keyFile, CAFile: certFile + ".gone"},
	} {
		if _, err := serverTLS(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestTheFrontStandsUnderAPrefix(t *testing.T) {
	s := serve(t, &http.Client{}, "api.public_endpoint=https://cloud.example/container")
	for _, path := range []string{"/", "/container", "/container/"} { // the proxy may strip the prefix or not
		if got := s.selfLink(path, nil); got != "https://cloud.example/container/v1/" {
			t.Errorf("%s leads to %s", path, got)
		}
	}
	for _, path := range []string{"/container/identity/v3", "/identity/v3", "/container/identity"} {
		answer := s.do("GET", path, "", nil)
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode >= 400 || !strings.Contains(string(text), "https://cloud.example/container/identity/v3") {
			t.Errorf("%s: %s %s", path, answer.Status, text)
		}
	}
	answer := s.do("GET", "/container/identity/v3/auth/catalog", "", nil)
	if text, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(text), `"https://cloud.example/container/v1"`) {
		t.Errorf("the catalog: %s %s", answer.Status, text)
	}
	for _, path := range []string{"/container/v1/containers", "/v1/containers"} {
		if answer := s.do("GET", path, "", nil); answer.StatusCode != 200 {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	forwarded := map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cloud.example", "X-Forwarded-Prefix": "/zun"}
	trusting := serve(t, &http.Client{}, "api.trusted_proxies=127.0.0.0/8")
	if got := trusting.selfLink("/", forwarded); got != "https://cloud.example/zun/v1/" {
		t.Errorf("behind a trusted proxy the link leads to %s", got)
	}
	wary := serve(t, &http.Client{}, "api.trusted_proxies=192.0.2.0/24")
	if got := wary.selfLink("/", forwarded); got != "http://"+wary.address+"/v1/" {
		t.Errorf("a stranger moved the link to %s", got)
	}
}

// TestWhoGuessesBehindAProxyIsToldFromTheOthers: a stranger's failures must not keep those
// from logging in who come through the same proxy, and who is none may not choose whom his
// failures are counted against.
func TestWhoGuessesBehindAProxyIsToldFromTheOthers(t *testing.T) {
	guess := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"admin","domain":{"id":"default"},"password":"wrong"}}}}}`
	from := func(address string) map[string]string { return map[string]string{"X-Forwarded-For": address} }
	for proxies, want := range map[string][2]int{"127.0.0.0/8": {429, 401}, "192.0.2.0/24": {429, 429}} {
		s := serve(t, &http.Client{}, "api.trusted_proxies="+proxies)
		for range 5 {
			s.do("POST", identityPath+"/v3/auth/tokens", guess, from("198.51.100.1"))
		}
		for i, address := range []string{"198.51.100.1", "198.51.100.2"} {
			if got := s.do("POST", identityPath+"/v3/auth/tokens", guess, from(address)); got.StatusCode != want[i] {
				t.Errorf("%s is trusted: a guess from %s: %s, want %d", proxies, address, got.Status, want[i])
			}
		}
	}
}

func TestBrowsersOfAllowedOriginsMayCall(t *testing.T) {
	s := serve(t, &http.Client{}, "cors.allowed_origin=https://panel.example")
	ask := map[string]string{"Origin": "https://panel.example", "Access-Control-Request-Method": "POST"}
	answer := s.do("OPTIONS", "/v1/containers", "", ask)
	if answer.StatusCode != 200 || answer.Header.Get("Access-Control-Allow-Origin") != "https://panel.example" ||
		!strings.Contains(answer.Header.Get("Access-Control-Allow-Methods"), "POST") ||
		!strings.Contains(answer.Header.Get("Access-Control-Allow-Headers"), "X-Auth-Token") {
		t.Errorf("preflight: %s %v", answer.Status, answer.Header)
	}
	answer = s.do("GET", "/v1/containers", "", map[string]string{"Origin": "https://evil.example"})
	if answer.StatusCode != 200 || answer.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a stranger's page: %s %v", answer.Status, answer.Header)
	}
}

func TestACapsuleFromEndToEndOfTheFront(t *testing.T) {
	s := serve(t, &http.Client{})
	body := `{"template":{"kind":"capsule","metadata":{"name":"web"},"spec":{"containers":[{"image":"nginx"}]}}}`
	version := map[string]string{"OpenStack-API-Version": "container 1.40"}
	answer := s.do("POST", "/v1/capsules", body, version)
	var made api.Capsule
	if err := json.NewDecoder(answer.Body).Decode(&made); err != nil || answer.StatusCode != 202 || made.Status != "Error" || made.StatusReason == nil {
		t.Fatalf("%s %+v %v", answer.Status, made, err)
	}
	if answer := s.do("DELETE", "/v1/capsules/web", "", version); answer.StatusCode != 204 {
		t.Errorf("delete: %s", answer.Status)
	}
}
