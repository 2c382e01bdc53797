package porch_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/term/porch"
)

// open runs a porch before two servers that say whether the connection is encrypted.
func open(t *testing.T) (address string, client *http.Client, stop func()) {
	t.Helper()
	pattern := httptest.NewTLSServer(nil) // for its certificate
	pattern.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
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
