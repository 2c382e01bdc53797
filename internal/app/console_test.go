package app

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/term"
)

// still is a desk whose terminals say nothing and whose tickets are all good.
type still struct{}

func (still) Redeem(_ context.Context, claim control.TicketClaim) (control.Visit, error) {
	return control.Visit{Container: claim.Container}, nil
}

func (still) Keep(context.Context, []string) error { return nil }
func (still) Leave(context.Context, string) error  { return nil }

func (still) Enter(context.Context, control.Visit) (control.Stream, error) {
	r, w := io.Pipe()
	return quiet{r, w}, nil
}

type quiet struct {
	*io.PipeReader
	end *io.PipeWriter
}

func (quiet) Write(p []byte) (int, error) { return len(p), nil }
func (quiet) CloseWrite() error           { return nil }
func (quiet) Wait() (int, error)          { return 0, nil }
func (q quiet) Close() error              { return q.end.Close() }

// serveDoor serves a console door as zun-wsproxy does, with set in the form of --set.
func serveDoor(t *testing.T, set ...string) (address string) {
	t.Helper()
	c, _, err := config.Load(config.Source{Set: append([]string{"DEFAULT.my_ip=127.0.0.1"}, set...), Files: []string{os.DevNull}})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	door, err := newConsole(c, still{}, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := consoleTLS(c.WebSocket)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- door.Run(ctx) }()
	go func() {
		ended <- serveConsoles(ctx, l, settings, func(l net.Listener) *front { return newConsoleFront(l, door, time.Second, log) })
	}()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

const goodTicket = "?uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11&token=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// knock opens a console at url and returns how the door answered, and how the console
// ended if wait is set.
func knock(t *testing.T, url string, settings *tls.Config, header http.Header, wait bool) (status int, end websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: settings}}
	defer client.CloseIdleConnections()
	conn, answer, err := websocket.Dial(ctx, url+goodTicket, &websocket.DialOptions{HTTPClient: client, HTTPHeader: header, Subprotocols: []string{term.Subprotocol}})
	if answer == nil {
		t.Fatal(err)
	}
	if err != nil {
		return answer.StatusCode, end
	}
	defer func() { _ = conn.CloseNow() }()
	if wait {
		if _, _, err := conn.Read(ctx); !errors.As(err, &end) {
			t.Fatal(err)
		}
	}
	return answer.StatusCode, end
}

func TestTheDoorsCertificate(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	trusting := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	files := []string{"websocket_proxy.cert=" + certFile, "websocket_proxy.key=" + keyFile}
	for name, c := range map[string]struct {
		set           []string
		plain, secure int
	}{
		"cert and key":              {files, http.StatusSwitchingProtocols, http.StatusSwitchingProtocols},
		"cert, key and no ssl_only": {append(files, "websocket_proxy.ssl_only=false"), http.StatusSwitchingProtocols, http.StatusSwitchingProtocols},
		"cert, key and ssl_only":    {append(files, "websocket_proxy.ssl_only=true"), http.StatusForbidden, http.StatusSwitchingProtocols},
		"neither":                   {nil, http.StatusSwitchingProtocols, 0},
	} {
		t.Run(name, func(t *testing.T) {
			address := serveDoor(t, c.set...)
			if status, _ := knock(t, "ws://"+address+"/", nil, nil, false); status != c.plain {
				t.Errorf("a plain connection: %d", status)
			}
			if c.secure == 0 {
				return
			}
			if status, _ := knock(t, "wss://"+address+"/", trusting, nil, false); status != c.secure {
				t.Errorf("an encrypted connection: %d", status)
			}
		})
	}
	if _, err := consoleTLS(config.WebSocket{CertFile: keyFile, KeyFile: keyFile}); err == nil || !strings.Contains(err.Error(), "[websocket_proxy] cert and key") {
		t.Errorf("a key for a certificate: %v", err)
	}
}

func TestTheDoorBehindAProxy(t *testing.T) {
	address := serveDoor(t, "websocket_proxy.base_url=wss://cloud.example/zun/console/", "api.trusted_proxies=127.0.0.1/32")
	page := http.Header{"Origin": {"https://cloud.example"}, "X-Forwarded-Proto": {"https"}, "X-Forwarded-For": {"203.0.113.9"}}
	if status, _ := knock(t, "ws://"+address+"/zun/console/", nil, page, false); status != http.StatusSwitchingProtocols {
		t.Errorf("under its prefix: %d", status)
	}
	if status, _ := knock(t, "ws://"+address+"/", nil, page, false); status != http.StatusSwitchingProtocols {
		t.Errorf("where a proxy took the prefix off: %d", status)
	}
	if status, _ := knock(t, "ws://"+address+"/other/", nil, page, false); status != http.StatusNotFound {
		t.Errorf("elsewhere: %d", status)
	}
	plain := http.Header{"Origin": {"http://cloud.example"}}
	if status, _ := knock(t, "ws://"+address+"/zun/console/", nil, plain, false); status != http.StatusForbidden {
		t.Errorf("a page over plain HTTP of a door over TLS: %d", status)
	}
	elsewhere := http.Header{"Origin": {"https://panel.example"}}
	if status, _ := knock(t, "ws://"+address+"/zun/console/", nil, elsewhere, false); status != http.StatusForbidden {
		t.Errorf("another host's page: %d", status)
	}
	listed := serveDoor(t, "websocket_proxy.base_url=wss://cloud.example/zun/console/", "websocket_proxy.allowed_origins=panel.example")
	if status, _ := knock(t, "ws://"+listed+"/zun/console/", nil, elsewhere, false); status != http.StatusSwitchingProtocols {
		t.Errorf("a listed host's page: %d", status)
	}
}

func TestTheDoorReadsNoLongHeader(t *testing.T) {
	address := serveDoor(t)
	for size, want := range map[int]int{12 << 10: http.StatusSwitchingProtocols, 40 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		if status, _ := knock(t, "ws://"+address+"/", nil, http.Header{"Cookie": {strings.Repeat("c", size)}}, false); status != want {
			t.Errorf("%d bytes: %d, want %d", size, status, want)
		}
	}
}

func TestTheDoorsTimes(t *testing.T) {
	for set, reason := range map[string]string{
		"websocket_proxy.idle_timeout=1":    "The console was idle for too long",
		"websocket_proxy.session_timeout=1": "The console reached its longest time",
	} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			if _, end := knock(t, "ws://"+serveDoor(t, set)+"/", nil, nil, true); end.Code != websocket.StatusPolicyViolation || end.Reason != reason {
				t.Errorf("closed with %v", end)
			}
		})
	}
}

// TestTheDoorHoldsNoCrowd has one more come than are held without a console: the first of
// them is hung up on, and an open console is not.
func TestTheDoorHoldsNoCrowd(t *testing.T) {
	certFile, keyFile, roots := certificate(t)
	address := serveDoor(t, "websocket_proxy.cert="+certFile, "websocket_proxy.key="+keyFile)
	for name, settings := range map[string]*tls.Config{"plain": nil, "encrypted": {RootCAs: roots, MinVersion: tls.VersionTLS12}} {
		t.Run(name, func(t *testing.T) {
			come := func(request string) net.Conn {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = conn.Close() })
				if settings != nil {
					over := settings.Clone()
					over.ServerName = "127.0.0.1"
					conn = tls.Client(conn, over)
				}
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				if _, err := io.WriteString(conn, request); err != nil {
					t.Fatal(err)
				}
				return conn
			}
			console := come("GET /" + goodTicket + " HTTP/1.1\r\nHost: door\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
				"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
			begun := make([]byte, len("HTTP/1.1 101"))
			if _, err := io.ReadFull(console, begun); err != nil || string(begun) != "HTTP/1.1 101" {
				t.Fatalf("%v after %q", err, begun)
			}
			first := come("GET / HTTP/1.1\r\nHo")
			for range maxUnserved {
				come("GET / HTTP/1.1\r\nHo")
			}
			if said, err := io.ReadAll(first); errors.Is(err, os.ErrDeadlineExceeded) || len(said) > 0 {
				t.Errorf("the first of the crowd was left standing: %q, %v", said, err)
			}
			if _, err := console.Write([]byte{0x89, 0x80, 0, 0, 0, 0}); err != nil { // a ping
				t.Error(err)
			}
			reader, pong := bufio.NewReader(console), make([]byte, 2)
			for line := "-"; strings.TrimSpace(line) != ""; { // what is left of the header
				var err error
				if line, err = reader.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.ReadFull(reader, pong); err != nil || pong[0] != 0x8a {
				t.Errorf("an open console answers %v, %v", pong, err)
			}
		})
	}
}

// TestTheDoorAwaitsNoBody promises a body that never comes: who is refused is hung up on
// all the same, and so is who asks for what net/http would answer by itself.
func TestTheDoorAwaitsNoBody(t *testing.T) {
	address := serveDoor(t)
	for name, request := range map[string]string{
		"a refusal":               "GET / HTTP/1.1\r\nHost: door\r\nContent-Length: 100\r\n\r\n",
		"a refusal in pieces":     "POST /nowhere HTTP/1.1\r\nHost: door\r\nTransfer-Encoding: chunked\r\n\r\n",
		"a handshake with a body": "GET /" + goodTicket + " HTTP/1.1\r\nHost: door\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 12\r\nContent-Length: 100\r\n\r\n",
		"all of the server":       "OPTIONS * HTTP/1.1\r\nHost: door\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if answer := say(t, address, request, 4*leftoverTime); !strings.HasPrefix(answer, "HTTP/1.1 4") {
				t.Errorf("answered with %q", answer)
			}
		})
	}
}
