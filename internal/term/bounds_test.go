package term_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/term"
)

func TestMessagesThatBreakTheRules(t *testing.T) {
	for name, c := range map[string]struct {
		protocol string
		kind     websocket.MessageType
		message  string
		want     websocket.StatusCode
	}{
		"too long":          {term.Subprotocol, websocket.MessageBinary, strings.Repeat("x", 5000), websocket.StatusMessageTooBig},
		"no signal":         {term.Subprotocol, websocket.MessageText, "ls\n", websocket.StatusInvalidFramePayloadData},
		"unknown signal":    {term.Subprotocol, websocket.MessageText, `{"type":"exit"}`, websocket.StatusInvalidFramePayloadData},
		"no base64":         {"base64", websocket.MessageText, "!!!!", websocket.StatusInvalidFramePayloadData},
		"half a base64":     {"base64", websocket.MessageText, "bHM", websocket.StatusInvalidFramePayloadData},
		"a signal too long": {term.Subprotocol, websocket.MessageText, `{"type":"eof"` + strings.Repeat(" ", 4090) + "}", websocket.StatusInvalidFramePayloadData},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, func(o *term.Options) { o.MaxMessage = 4096 })
			conn := d.mustDial(speaking(c.protocol))
			send(t, conn, c.kind, c.message)
			if _, _, end := readAll(t, conn); end.Code != c.want {
				t.Errorf("closed with %v", end)
			}
			if record := d.ended(); record["ended_by"] != "bounds" {
				t.Errorf("the record says %v", record)
			}
		})
	}
}

// raw upgrades by hand, so that the test can write frames that no library would.
func raw(t testing.TB, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	key := base64.StdEncoding.EncodeToString(make([]byte, 16))
	_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", u.RequestURI(), key)
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("no upgrade: %v %v", answer, err)
	}
	return conn, r
}

func TestMalformedFrames(t *testing.T) {
	for name, frame := range map[string][]byte{
		"unmasked":                {0x82, 0x01, 'x'},
		"reserved bits":           {0xf2, 0x81, 0, 0, 0, 0, 'x'},
		"unknown kind":            {0x83, 0x80, 0, 0, 0, 0},
		"long ping":               {0x89, 0xfe, 0x00, 0x80, 0, 0, 0, 0},
		"ping in pieces":          {0x09, 0x80, 0, 0, 0, 0},
		"continuation of nothing": {0x80, 0x80, 0, 0, 0, 0},
		"negative length":         {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0},
		"bad close code":          {0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01},
		"cut":                     {0x82, 0x85, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			conn, r := raw(t, d.ticket())
			_, _ = conn.Write(frame)
			if name == "cut" {
				_ = conn.(*net.TCPConn).CloseWrite()
			}
			if _, err := io.ReadAll(r); err != nil {
				t.Errorf("the door kept the connection: %v", err)
			}
			if record := d.ended(); record["bytes_in"] != 0.0 {
				t.Errorf("something of it was carried: %v", record)
			}
		})
	}
}

func TestTimesEndAConsole(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*term.Options)
		by     string
	}{
		"idle":    {func(o *term.Options) { o.Idle = 50 * time.Millisecond }, "idle"},
		"too old": {func(o *term.Options) { o.Longest = 50 * time.Millisecond }, "longest"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, c.change)
			if _, _, end := readAll(t, d.mustDial()); end.Code != websocket.StatusPolicyViolation {
				t.Errorf("closed with %v", end)
			}
			if record := d.ended(); record["ended_by"] != c.by {
				t.Errorf("the record says %v", record)
			}
		})
	}
}

func TestTypingKeepsAConsoleFromBeingIdle(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.Idle = 300 * time.Millisecond })
	conn := d.mustDial()
	began := time.Now()
	for time.Since(began) < 700*time.Millisecond {
		send(t, conn, websocket.MessageBinary, "x")
		receive(t, conn)
	}
}

func TestHalfOpen(t *testing.T) {
	t.Parallel()
	d := newDoor(t, func(o *term.Options) { o.Ping, o.PingTimeout = 30*time.Millisecond, 50*time.Millisecond })
	d.mustDial() // nobody reads it, so nothing answers a ping
	if record := d.ended(); record["ended_by"] != "half-open" {
		t.Errorf("the record says %v", record)
	}
}

func TestPingsGoOnUnderLoad(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.Ping, o.PingTimeout = 10*time.Millisecond, 40*time.Millisecond })
	d.make = newProcess // reads nothing until it is told to
	conn := d.mustDial()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	go func() { _, _, _ = conn.Read(t.Context()) }() // answers pings until the cleanup closes conn
	block := bytes.Repeat([]byte("x"), 32<<10)
	for conn.Write(ctx, websocket.MessageBinary, block) == nil {
	}
	if strings.Contains(d.log.all(), "half-open") {
		t.Error("a user whose input waits was taken for gone")
	}
}

// TestWhoLeavesWhileHisInputWaitsIsMissed hangs up while the target takes nothing, so that
// nobody reads what the user's side still says.
func TestWhoLeavesWhileHisInputWaitsIsMissed(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.Ping, o.PingTimeout = 10*time.Millisecond, 40*time.Millisecond })
	d.make = newProcess // reads nothing
	conn := d.mustDial()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	block := bytes.Repeat([]byte("x"), 32<<10)
	for conn.Write(ctx, websocket.MessageBinary, block) == nil { // the library hangs up once it is told to give up
	}
	if record := d.ended(); record["ended_by"] != "user" {
		t.Errorf("the record says %v", record)
	}
	<-d.targets[0].closed
}

func TestASlowReaderHoldsTheTargetBackAndLosesNothing(t *testing.T) {
	d := newDoor(t)
	d.make = newProcess
	conn := d.mustDial()
	p := d.targets[0]
	var printed atomic.Int64
	sum := sha256.New()
	stop := make(chan struct{})
	go func() {
		defer func() { _ = p.stdout.Close() }()
		block := make([]byte, 64<<10)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_, _ = rand.Read(block)
			n, err := p.stdout.Write(block)
			sum.Write(block[:n])
			printed.Add(int64(n))
			if err != nil {
				return
			}
		}
	}()
	last, tick := int64(-1), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for printed.Load() != last {
		last = printed.Load()
		<-tick.C
	}
	if last > 32<<20 {
		t.Errorf("%d bytes wait for a reader that reads nothing", last)
	}
	close(stop)
	got := sha256.New()
	data, _, end := readAll(t, conn)
	got.Write(data)
	if int64(len(data)) != printed.Load() || !bytes.Equal(got.Sum(nil), sum.Sum(nil)) || end.Code != websocket.StatusNormalClosure {
		t.Errorf("%d of %d bytes arrived, close %v", len(data), printed.Load(), end)
	}
}

func TestAReaderThatTakesNothingIsSentAway(t *testing.T) {
	t.Parallel()
	d := newDoor(t, func(o *term.Options) { o.Stall = 100 * time.Millisecond })
	d.make = newProcess
	d.mustDial()
	go func() { _, _ = io.Copy(d.targets[0].stdout, zeros{}) }() // ends when the door closes the target
	if record := d.ended(); record["ended_by"] != "stall" {
		t.Errorf("the record says %v", record)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func TestForwardedAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		trusted, header, want string
	}{
		"no proxy is trusted":      {"", "203.0.113.9", "127.0.0.1"},
		"one proxy":                {"127.0.0.0/8", "203.0.113.9", "203.0.113.9"},
		"a forged hop on the left": {"127.0.0.0/8", "10.9.9.9, 203.0.113.9", "203.0.113.9"},
		"two proxies":              {"127.0.0.0/8,10.0.0.0/8", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
		"junk":                     {"127.0.0.0/8", "<script>", "127.0.0.1"},
		"an IPv6 address":          {"127.0.0.0/8", "[2001:db8::1]", "2001:db8::1"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t, func(o *term.Options) {
				for _, p := range strings.Split(c.trusted, ",") {
					if p != "" {
						o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(p))
					}
				}
			})
			d.mustDial(func(o *websocket.DialOptions) { o.HTTPHeader.Set("X-Forwarded-For", c.header) })
			if record := d.log.wait(t, "opened"); record["from"] != c.want {
				t.Errorf("from %v", record["from"])
			}
		})
	}
}

func TestPlainConnectionsAreRefusedWhereTLSIsRequired(t *testing.T) {
	https := func(o *websocket.DialOptions) { o.HTTPHeader.Set("X-Forwarded-Proto", "https") }
	d := newDoor(t, func(o *term.Options) { o.RequireTLS = true })
	if _, _, status := d.dial(d.ticket(), https); status != http.StatusForbidden {
		t.Errorf("a stranger's header was believed: %d", status)
	}
	e := newDoor(t, func(o *term.Options) {
		o.RequireTLS = true
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	e.mustDial(https)
}

func TestNothingIsLeftAfterAStorm(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.WrongPerMinute = 0 })
	before := runtime.NumGoroutine() // of a door with nobody in it: a console's begin after its user has heard that it is open
	open := d.mustDial()
	var storm sync.WaitGroup
	next := make(chan int)
	for range 16 {
		storm.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for i := range next {
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				target := d.url(fmt.Sprintf("%064x", 1<<40+i))
				if i%10 == 0 {
					target = d.ticket()
				}
				conn, answer, err := websocket.Dial(ctx, target, &websocket.DialOptions{HTTPClient: client})
				if err == nil {
					_ = conn.CloseNow()
				} else if answer == nil || answer.StatusCode != http.StatusForbidden {
					t.Errorf("answer %v, %v", answer, err)
				}
				cancel()
			}
		})
	}
	for i := range 10_000 {
		next <- i
	}
	close(next)
	storm.Wait()
	ended := time.Now()
	_ = open.CloseNow()
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before })
	if took := time.Since(ended); took > 5*time.Second {
		t.Errorf("the last goroutine was gone after %s", took)
	}
}

// TestGuessesOfOneAddressReachNobody holds that an address which shows one wrong
// ticket after the other is refused by the door alone, that another is not, and that
// time forgives.
func TestGuessesOfOneAddressReachNobody(t *testing.T) {
	now := time.Now()
	d := newDoor(t, func(o *term.Options) {
		o.WrongPerMinute = 10
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	d.tell(func() time.Time { return now })
	by := func(address string) func(*websocket.DialOptions) {
		return func(o *websocket.DialOptions) { o.HTTPHeader.Set("X-Forwarded-For", address) }
	}
	for i := range 30 {
		_, _, status := d.dial(d.url(fmt.Sprintf("%064x", 1<<40+i)), by(fmt.Sprintf("2001:db8::%x", i)))
		if want := map[bool]int{true: http.StatusForbidden, false: http.StatusTooManyRequests}[i < 10]; status != want {
			t.Errorf("guess %d: %d, want %d", i, status, want)
		}
	}
	if asked := d.questions(); asked != 10 {
		t.Errorf("control was asked %d times", asked)
	}
	good := d.ticket()
	if _, _, status := d.dial(good, by("2001:db8::ffff")); status != http.StatusTooManyRequests {
		t.Errorf("the neighbourhood is not kept off: %d", status)
	}
	if conn, body, _ := d.dial(d.ticket(), by("2001:db8:1::1")); conn == nil {
		t.Errorf("another address suffers: %s", body)
	}
	now = now.Add(7 * time.Second)
	if conn, body, _ := d.dial(good, by("2001:db8::ffff")); conn == nil {
		t.Errorf("time forgave nothing: %s", body)
	}
}

func TestAHundredConsolesAtOnce(t *testing.T) {
	d := newDoor(t)
	var all sync.WaitGroup
	for i := range 100 {
		conn := d.mustDial()
		all.Go(func() {
			text := strings.Repeat(fmt.Sprint(i, " "), 1000)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			for rest := []byte(text); len(rest) > 0; rest = rest[min(len(rest), 100):] {
				if err := conn.Write(ctx, websocket.MessageBinary, rest[:min(len(rest), 100)]); err != nil {
					t.Error(err)
					return
				}
			}
			_ = conn.Write(ctx, websocket.MessageText, []byte(`{"type":"eof"}`))
			var got []byte
			for {
				kind, data, err := conn.Read(ctx)
				if err != nil || kind == websocket.MessageText {
					break
				}
				got = append(got, data...)
			}
			if string(got) != text {
				t.Errorf("console %d: %d of %d bytes", i, len(got), len(text))
			}
		})
	}
	all.Wait()
}
