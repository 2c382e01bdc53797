package porch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/term/porch"
)

// open runs a porch before two servers that say whether the connection is encrypted.
func open(t *testing.T) (address string, client *http.Client, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return openAt(t, l)
}

func openAt(t *testing.T, l net.Listener) (address string, client *http.Client, stop func()) {
	t.Helper()
	pattern := httptest.NewTLSServer(nil) // for its certificate
	pattern.Close()
	p := porch.New(l, &tls.Config{Certificates: pattern.TLS.Certificates, NextProtos: []string{"http/1.1"}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	go func() { ended <- p.Run(ctx) }()
	for _, door := range []net.Listener{p.Plain(), p.Encrypted()} {
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := "plain"
			if r.TLS != nil {
				answer = "encrypted"
			}
			_, _ = io.WriteString(w, answer)
		})}
		go func() { ended <- server.Serve(door) }()
		t.Cleanup(func() { _ = server.Close() })
	}
	t.Cleanup(func() {
		cancel()
		for range 3 {
			if err := <-ended; err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		}
	})
	return l.Addr().String(), pattern.Client(), cancel
}

func TestOnePortServesBoth(t *testing.T) {
	address, client, _ := open(t)
	for scheme, want := range map[string]string{"http": "plain", "https": "encrypted"} {
		answer, err := client.Get(scheme + "://" + address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if string(body) != want {
			t.Errorf("%s: %s", scheme, body)
		}
	}
	client.CloseIdleConnections()
}

// crowded is a listener of a process that has no file descriptor left for a while.
type crowded struct {
	net.Listener
	refusals int
}

func (c *crowded) Accept() (net.Conn, error) {
	if c.refusals > 0 {
		c.refusals--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return c.Listener.Accept()
}

// TestAFullProcessLetsNewcomersWait holds that the port goes on once there is room again.
func TestAFullProcessLetsNewcomersWait(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, client, _ := openAt(t, &crowded{Listener: l, refusals: 3})
	answer, err := client.Get("https://" + address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	client.CloseIdleConnections()
}

func TestWhoSaysNothingHoldsNobodyUp(t *testing.T) {
	address, client, stop := open(t)
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Get("https://" + address)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	client.CloseIdleConnections()
	stop()
	_ = silent.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the stop left a connection open: %v", err)
	}
}
