package lobby_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/term/lobby"
)

const patience = 10 * time.Second

// near is a listener whose connections come from where the test says.
type near struct {
	coming chan net.Conn
	closed chan struct{}
	close  func()
}

func (n near) Accept() (net.Conn, error) {
	select {
	case conn := <-n.coming:
		return conn, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n near) Close() error   { n.close(); return nil }
func (n near) Addr() net.Addr { return &net.TCPAddr{} }

// placed is a connection from an address.
type placed struct {
	net.Conn
	from net.Addr
}

func (p placed) RemoteAddr() net.Addr { return p.from }

// house is a lobby and who comes to it.
type house struct {
	*lobby.Lobby
	door   near
	inside chan net.Conn
}

func open(t *testing.T, places int) house {
	t.Helper()
	door := near{coming: make(chan net.Conn), closed: make(chan struct{})}
	door.close = sync.OnceFunc(func() { close(door.closed) })
	h := house{Lobby: lobby.New(door, places), door: door, inside: make(chan net.Conn, 100)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := h.Accept()
			if err != nil {
				return
			}
			h.inside <- conn
		}
	}()
	t.Cleanup(func() {
		_ = h.Close()
		<-ended
	})
	return h
}

// visit has somebody come from an address and go in: far is his end, and inside the house's.
func (h house) visit(t *testing.T, from string) (far, inside net.Conn) {
	t.Helper()
	far = h.knock(t, from)
	select {
	case inside = <-h.inside:
	case <-time.After(patience):
		t.Fatalf("who comes from %s does not get in", from)
	}
	return far, inside
}

// knock has somebody come who need not get in.
func (h house) knock(t *testing.T, from string) (far net.Conn) {
	t.Helper()
	far, ours := net.Pipe()
	t.Cleanup(func() { _ = far.Close() })
	h.door.coming <- placed{ours, net.TCPAddrFromAddrPort(addrPort(from))}
	return far
}

// hungUp says whether the house hung up on who is at the far end.
func hungUp(far net.Conn) bool {
	_ = far.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	_, err := far.Read(make([]byte, 1))
	return !errors.Is(err, os.ErrDeadlineExceeded)
}

// TestWhoHasWaitedLongestMakesRoom fills a lobby from many places.
func TestWhoHasWaitedLongestMakesRoom(t *testing.T) {
	h := open(t, 3)
	first, _ := h.visit(t, "192.0.2.1:1")
	second, _ := h.visit(t, "192.0.2.2:1")
	third, _ := h.visit(t, "192.0.2.3:1")
	if hungUp(first) || hungUp(second) || hungUp(third) {
		t.Fatal("somebody was hung up on while there was room")
	}
	fourth, _ := h.visit(t, "192.0.2.4:1")
	if !hungUp(first) || hungUp(second) || hungUp(third) || hungUp(fourth) {
		t.Error("not the first was hung up on for the fourth")
	}
}

// TestACrowdFromOnePlacePaysForItself has one machine come again and again, by what
// addresses of its network it likes: nobody else is hung up on for it.
func TestACrowdFromOnePlacePaysForItself(t *testing.T) {
	h := open(t, 4)
	slow, _ := h.visit(t, "192.0.2.1:1")
	neighbour, _ := h.visit(t, "[2001:db8:0:2::1]:1")
	for port := range uint16(20) {
		h.visit(t, network(0x1, port))
	}
	late, _ := h.visit(t, "192.0.2.9:1")
	if hungUp(slow) || hungUp(neighbour) || hungUp(late) {
		t.Error("one of the others was hung up on")
	}
}

// TestWhoIsDealtWithIsNotHungUpOn fills a lobby with finished requests: the next waits
// until one is answered, and takes the place of that one.
func TestWhoIsDealtWithIsNotHungUpOn(t *testing.T) {
	h := open(t, 2)
	first, one := h.visit(t, "192.0.2.1:1")
	second, two := h.visit(t, "192.0.2.2:1")
	h.Note(one, http.StateActive)
	h.Note(two, http.StateActive)
	h.knock(t, "192.0.2.3:1")
	select {
	case <-h.inside:
		t.Fatal("more were let in than there are places")
	case <-time.After(50 * time.Millisecond): // what comes later is seen by the next look
	}
	go func() { _, _ = io.WriteString(two, "no\n") }()
	if _, err := io.ReadFull(second, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	h.next(t)
	if hungUp(first) || !hungUp(second) {
		t.Error("not the one was hung up on that had its answer")
	}
	h.Note(one, http.StateIdle) // it may ask again, but not in the way of others
	h.visit(t, "192.0.2.3:2")
}

func (h house) next(t *testing.T) net.Conn {
	t.Helper()
	select {
	case conn := <-h.inside:
		return conn
	case <-time.After(patience):
		t.Fatal("nobody gets in")
		return nil
	}
}

// TestConsolesAndWhoLeftHoldNoPlace upgrades and closes connections.
func TestConsolesAndWhoLeftHoldNoPlace(t *testing.T) {
	h := open(t, 1)
	for port := range uint16(5) {
		_, conn := h.visit(t, network(0x1, port))
		h.Note(conn, http.StateActive)
		h.Note(conn, http.StateHijacked)
		_, brief := h.visit(t, network(0x2, port))
		h.Note(brief, http.StateActive)
		_ = brief.Close()
		_ = brief.Close()
	}
}

// TestWhoIsDealtWithForLongHoldsNoPlace has requests last, and their connections be kept.
func TestWhoIsDealtWithForLongHoldsNoPlace(t *testing.T) {
	h := open(t, 1)
	first, one := h.visit(t, "192.0.2.1:1")
	h.NoteLasting(one, http.StateActive)
	second, two := h.visit(t, "192.0.2.2:1")
	h.NoteLasting(two, http.StateActive)
	third, three := h.visit(t, "192.0.2.3:1")
	if hungUp(first) || hungUp(second) || hungUp(third) {
		t.Fatal("somebody was hung up on who holds no place")
	}
	h.NoteLasting(one, http.StateIdle)
	if hungUp(first) || !hungUp(third) {
		t.Error("who came back did not take the place of the one that waits")
	}
	_ = two.Close()
	_ = three.Close()
	for _, state := range []http.ConnState{http.StateIdle, http.StateClosed} { // late words of who left
		h.NoteLasting(two, state)
		h.NoteLasting(three, state)
	}
	if hungUp(first) {
		t.Error("who left took a place")
	}
	h.visit(t, "192.0.2.4:1")
	if !hungUp(first) {
		t.Error("a kept connection was not hung up on for the next")
	}
}

// TestAClosedLobbyLetsNobodyIn closes one while somebody waits for a place.
func TestAClosedLobbyLetsNobodyIn(t *testing.T) {
	h := open(t, 1)
	_, conn := h.visit(t, "192.0.2.1:1")
	h.Note(conn, http.StateActive)
	late := h.knock(t, "192.0.2.2:1")
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	_ = late.SetReadDeadline(time.Now().Add(patience))
	if _, err := late.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("who waited was left standing: %v", err)
	}
}

// TestServersTellHowTheirConnectionsFare puts the layers around a connection that are put
// around it in a process, and looks at what servers do by themselves.
func TestServersTellHowTheirConnectionsFare(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	entered := lobby.New(l, 1)
	upgraded := make(chan net.Conn, 1)
	server := &http.Server{ReadHeaderTimeout: time.Minute, ConnState: entered.Note, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			upgraded <- conn
		}
	})}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(tls.NewListener(entered, selfSigned(t))) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	dial := func() net.Conn {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	half := dial()
	if _, err := io.WriteString(half, "GET / HTTP/1.1\r\nHo"); err != nil {
		t.Fatal(err)
	}
	whole := dial()
	_ = half.SetReadDeadline(time.Now().Add(patience))
	if _, err := half.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("half a request was left standing: %v", err)
	}
	if _, err := io.WriteString(whole, "GET / HTTP/1.1\r\nHost: door\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	console := <-upgraded
	dial()
	go func() { _, _ = io.WriteString(console, "still here"); _ = console.Close() }()
	if said, err := io.ReadAll(whole); err != nil || string(said) != "still here" {
		t.Errorf("a console was hung up on: %q, %v", said, err)
	}
}

func addrPort(from string) netip.AddrPort { return netip.MustParseAddrPort(from) }

// network is an address within the nth network of IPv6, another one for each port.
func network(n byte, port uint16) string {
	return fmt.Sprintf("[2001:db8:0:%x::%x]:%d", 0x100+int(n), 1+port, 1+port)
}

// selfSigned is what a server needs to speak TLS.
func selfSigned(t *testing.T) *tls.Config {
	t.Helper()
	pattern := httptest.NewTLSServer(nil) // for its certificate
	pattern.Close()
	return &tls.Config{Certificates: pattern.TLS.Certificates, MinVersion: tls.VersionTLS12}
}
