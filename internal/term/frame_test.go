package term_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/term"
)

// drain is a terminal that takes everything and says nothing until it is closed.
type drain struct {
	taken  atomic.Int64
	once   sync.Once
	closed chan struct{}
}

func (d *drain) Read([]byte) (int, error) {
	<-d.closed
	return 0, io.EOF
}

func (d *drain) Write(p []byte) (int, error) {
	d.taken.Add(int64(len(p)))
	return len(p), nil
}

func (d *drain) CloseWrite() error  { return nil }
func (d *drain) Wait() (int, error) { return 0, nil }
func (d *drain) Close() error       { d.once.Do(func() { close(d.closed) }); return nil }

// drains is a desk that lets everybody in, one after the other.
type drains struct{ next chan *drain }

func (d drains) Redeem(_ context.Context, claim control.TicketClaim) (control.Visit, error) {
	return control.Visit{Container: claim.Container, ExecID: claim.ExecID, Host: domain.Host{Name: "n1"}}, nil
}

func (drains) Keep(context.Context, []string) error { return nil }
func (drains) Leave(context.Context, string) error  { return nil }

func (d drains) Enter(context.Context, control.Visit) (control.Stream, error) { return <-d.next, nil }

// FuzzFrame holds that whatever a user sends after the upgrade ends the console in
// time, carries no more than was sent, and leaves the terminal closed.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		"", "\x82\x81\x00\x00\x00\x00x", "\x81\x81\x00\x00\x00\x00x", "\x82\x01x", "\xf2\x81\x00\x00\x00\x00x", "\x83\x80\x00\x00\x00\x00",
		"\x02\x81\x00\x00\x00\x00x\x80\x81\x00\x00\x00\x00y", "\x89\x80\x00\x00\x00\x00\x82\x80\x00\x00\x00\x00", "\x09\x80\x00\x00\x00\x00",
		"\x88\x82\x00\x00\x00\x00\x03\xe8", "\x88\x82\x00\x00\x00\x00\x00\x01", "\x82\xfe\x10\x00\x00\x00\x00\x00", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"\x81\x8e\x00\x00\x00\x00{\"type\":\"eof\"}", "\x82\xfe\x20\x00\x01\x02\x03\x04" + strings.Repeat("z", 0x2000),
	} {
		f.Add([]byte(seed), uint8(len(seed)))
	}
	desk := drains{next: make(chan *drain, 1)}
	options := term.DefaultOptions()
	options.BaseURL, options.MaxMessage = "ws://console.example/", 4096
	door, err := term.New(term.Deps{Desk: desk, Options: options, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	server := httptest.NewServer(door)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- door.Run(ctx) }()
	f.Cleanup(func() { stop(); <-ended; server.Close() })
	address := strings.Replace(server.URL, "http", "ws", 1) + "/?token=" + strings.Repeat("a", 64) + "&uuid=" + container
	f.Fuzz(func(t *testing.T, frames []byte, split uint8) {
		target := &drain{closed: make(chan struct{})}
		desk.next <- target
		conn, answers := raw(t, address)
		at := min(int(split), len(frames)) // the first part may come in a packet of its own
		_, _ = conn.Write(frames[:at])
		_, _ = conn.Write(frames[at:])
		_ = conn.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, answers); isTimeout(err) {
			t.Fatal("the console goes on")
		}
		select {
		case <-target.closed:
		case <-time.After(patience):
			t.Fatal("the terminal was left open")
		}
		if taken := target.taken.Load(); taken > int64(len(frames)) {
			t.Errorf("%d bytes were carried of %d sent", taken, len(frames))
		}
	})
}

func isTimeout(err error) bool {
	var failed net.Error
	return errors.As(err, &failed) && failed.Timeout()
}
