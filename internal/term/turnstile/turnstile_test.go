package turnstile_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/term/turnstile"
)

const bound = time.Minute

// house is a turnstile and what it let in, in order.
type house struct {
	*turnstile.Turnstile
	inside chan net.Conn
}

func open(t *testing.T, arms int, patience time.Duration) house {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := house{turnstile.New(l, arms, patience), make(chan net.Conn)}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := h.Accept()
			if err != nil {
				return
			}
			select {
			case h.inside <- conn:
			case <-over:
				_ = conn.Close()
			}
		}
	}()
	t.Cleanup(func() {
		close(over)
		_ = h.Close()
		<-ended
	})
	return h
}

// crowd connects n times, as the operating system lets any number do.
func (h house) crowd(t *testing.T, n int) {
	t.Helper()
	for range n {
		conn, err := net.Dial("tcp", h.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
}

// next is who comes in next.
func (h house) next(t *testing.T) net.Conn {
	t.Helper()
	select {
	case conn := <-h.inside:
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	case <-time.After(bound):
		t.Fatal("nobody comes in")
		return nil
	}
}

// full holds that nobody else comes in for now.
func (h house) full(t *testing.T) {
	t.Helper()
	select {
	case <-h.inside:
		t.Fatal("more came in than there are arms")
	case <-time.After(50 * time.Millisecond): // what comes later is seen by the next look
	}
}

// TestAFewComeInAtATime holds that one more comes in for each that was answered or left.
func TestAFewComeInAtATime(t *testing.T) {
	h := open(t, 2, bound)
	h.crowd(t, 5)
	first, second := h.next(t), h.next(t)
	h.full(t)
	for range 3 { // answers beyond the first change nothing
		if _, err := io.WriteString(first, "no\n"); err != nil {
			t.Fatal(err)
		}
	}
	h.next(t)
	h.full(t)
	_ = second.Close()
	_ = second.Close()
	h.next(t)
	h.full(t)
}

// TestWhoSaysNothingHoldsOthersUpForAMoment lets all of a silent crowd in.
func TestWhoSaysNothingHoldsOthersUpForAMoment(t *testing.T) {
	h := open(t, 1, time.Millisecond)
	h.crowd(t, 10)
	for range 10 {
		h.next(t)
	}
}

// TestAClosedTurnstileLetsNobodyIn closes one while somebody waits for an arm.
func TestAClosedTurnstileLetsNobodyIn(t *testing.T) {
	h := open(t, 1, bound)
	h.crowd(t, 2)
	h.next(t)
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if conn, err := h.Accept(); err == nil {
		_ = conn.Close()
		t.Error("somebody came in")
	}
}
