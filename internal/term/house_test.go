package term_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/term"
)

const (
	container = "3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11"
	execID    = "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899"
	patience  = 10 * time.Second
)

// scripted is a target whose other end the test holds.
type scripted struct {
	io.Reader                // what the process prints
	io.Writer                // what it reads
	closeWrite func() error  // its end of input
	code       int           // how it exits
	fault      error         // or breaks
	closed     chan struct{} // once the door closed it
	once       sync.Once
	hangUp     func()
}

func (s *scripted) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF && s.fault != nil {
		err = s.fault
	}
	return n, err
}

func (s *scripted) CloseWrite() error  { return s.closeWrite() }
func (s *scripted) Wait() (int, error) { return s.code, nil }
func (s *scripted) Close() error {
	s.once.Do(func() { close(s.closed); s.hangUp() })
	return nil
}

// process is the test's end of a scripted target.
type process struct {
	*scripted
	stdin  *io.PipeReader
	stdout *io.PipeWriter
}

func newProcess() *process {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &process{stdin: inR, stdout: outW}
	p.scripted = &scripted{Reader: outR, Writer: inW, closeWrite: inW.Close, closed: make(chan struct{})}
	p.hangUp = func() {
		_ = inW.Close()
		_ = outR.Close()
		_ = inR.CloseWithError(io.ErrClosedPipe)
		_ = outW.CloseWithError(io.ErrClosedPipe)
	}
	return p
}

// echo prints what it reads and exits at the end of its input.
func (p *process) echo() {
	_, _ = io.Copy(p.stdout, p.stdin)
	_ = p.stdout.Close()
}

// desk is a control plane of tickets made by the test.
type desk struct {
	mu      sync.Mutex
	tickets map[string]control.Visit
	targets []*process
	make    func() *process
	enter   func(ctx context.Context) error // before a target is opened
	asked   int
	seats   map[string]int // how often control was told that a console is open
	left    []string
	most    int // seats; 0: no bound
}

func (d *desk) Keep(_ context.Context, consoles []string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range consoles {
		d.seats[c]++
	}
	return nil
}

func (d *desk) Leave(_ context.Context, console string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.seats, console)
	d.left = append(d.left, console)
	return nil
}

func (d *desk) Redeem(_ context.Context, claim control.TicketClaim) (control.Visit, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	visit, ok := d.tickets[claim.Secret]
	if !ok || visit.Container != claim.Container || visit.ExecID != claim.ExecID {
		return control.Visit{}, domain.NewFault(domain.NotFound, "ticket-not-found", "The ticket is unknown, expired or used.")
	}
	if d.most > 0 && len(d.seats) >= d.most {
		return control.Visit{}, domain.NewFault(domain.TooLarge, "too-many-consoles", "the container has %d consoles open, which is the limit", d.most)
	}
	visit.Console = fmt.Sprint("console-", d.asked)
	d.seats[visit.Console] = 0
	delete(d.tickets, claim.Secret)
	return visit, nil
}

func (d *desk) Enter(ctx context.Context, _ control.Visit) (control.Stream, error) {
	if d.enter != nil {
		if err := d.enter(ctx); err != nil {
			return nil, err
		}
	}
	p := d.make()
	d.mu.Lock()
	d.targets = append(d.targets, p)
	d.mu.Unlock()
	return p.scripted, nil
}

func (d *desk) questions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// door is a console door on a real listener.
type door struct {
	*desk
	t      testing.TB
	door   *term.Door
	server *httptest.Server
	log    *lines
	next   int
	stop   func() // returns when the last console has ended
	now    atomic.Pointer[func() time.Time]
}

// tell sets the clock of the door's bounds and records.
func (d *door) tell(now func() time.Time) { d.now.Store(&now) }

func newDoor(t testing.TB, change ...func(*term.Options)) *door {
	t.Helper()
	d := &door{t: t, desk: &desk{tickets: map[string]control.Visit{}, seats: map[string]int{}, make: echoing(0)}, log: &lines{}}
	d.tell(time.Now)
	options := term.DefaultOptions()
	options.BaseURL = "ws://console.example:6784/"
	for _, c := range change {
		c(&options)
	}
	var err error
	d.door, err = term.New(term.Deps{Desk: d.desk, Options: options, Now: func() time.Time { return (*d.now.Load())() }, Log: slog.New(slog.NewJSONHandler(d.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	d.server = httptest.NewServer(d.door)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- d.door.Run(ctx) }()
	d.stop = sync.OnceFunc(func() { stop(); <-ended })
	t.Cleanup(func() { d.stop(); d.server.Close() })
	return d
}

func echoing(code int) func() *process {
	return func() *process {
		p := newProcess()
		p.code = code
		go p.echo() // ends with its pipes, which the door closes
		return p
	}
}

// ticket makes a ticket for the exec session and returns the URL that holds it.
func (d *door) ticket() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	secret := fmt.Sprintf("%064x", d.next)
	d.tickets[secret] = control.Visit{Container: container, ExecID: execID, UserID: "u1", ProjectID: "p1", Host: domain.Host{Name: "n1"}}
	return d.url(secret)
}

func (d *door) url(secret string) string {
	return strings.Replace(d.server.URL, "http", "ws", 1) + "/?token=" + secret + "&uuid=" + container + "&exec_id=" + execID
}

// dial connects and returns the answer of a refusal beside the error.
func (d *door) dial(url string, change ...func(*websocket.DialOptions)) (*websocket.Conn, string, int) {
	d.t.Helper()
	options := &websocket.DialOptions{Subprotocols: []string{term.Subprotocol}, HTTPHeader: http.Header{}}
	for _, c := range change {
		c(options)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	defer cancel()
	conn, answer, err := websocket.Dial(ctx, url, options)
	if err == nil {
		conn.SetReadLimit(-1)
		d.t.Cleanup(func() { _ = conn.CloseNow() })
		return conn, "", http.StatusSwitchingProtocols
	}
	if answer == nil {
		d.t.Fatal(err)
		return nil, "", 0
	}
	body, _ := io.ReadAll(answer.Body)
	return nil, strings.TrimSpace(string(body)), answer.StatusCode
}

func (d *door) mustDial(change ...func(*websocket.DialOptions)) *websocket.Conn {
	d.t.Helper()
	conn, body, status := d.dial(d.ticket(), change...)
	if conn == nil {
		d.t.Fatalf("refused: %d %s", status, body)
	}
	return conn
}

func speaking(protocols ...string) func(*websocket.DialOptions) {
	return func(o *websocket.DialOptions) { o.Subprotocols = protocols }
}

func from(origin string) func(*websocket.DialOptions) {
	return func(o *websocket.DialOptions) { o.HTTPHeader.Set("Origin", origin) }
}

// ended waits for the record of a console's end and returns it.
func (d *door) ended() map[string]any {
	d.t.Helper()
	return d.log.wait(d.t, "closed")
}

// lines collects a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// wait returns the newest record of event.
func (l *lines) wait(t testing.TB, event string) map[string]any {
	t.Helper()
	var found map[string]any
	eventually(t, "a record of a console "+event, func() bool {
		for line := range strings.Lines(l.all()) {
			var record map[string]any
			if json.Unmarshal([]byte(line), &record) == nil && record["event"] == event {
				found = record
			}
		}
		return found != nil
	})
	return found
}

// eventually polls until done.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never: %s", what)
		}
	}
}

// readAll reads messages until the close and returns the bytes, the signals and the close.
func readAll(t testing.TB, conn *websocket.Conn) (data []byte, signals []string, end websocket.CloseError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			if !asClose(err, &end) {
				t.Fatalf("no close frame: %v", err)
			}
			return data, signals, end
		}
		if kind == websocket.MessageText {
			signals = append(signals, string(message))
			continue
		}
		data = append(data, message...)
	}
}

func send(t testing.TB, conn *websocket.Conn, kind websocket.MessageType, data string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := conn.Write(ctx, kind, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// receive reads one message.
func receive(t testing.TB, conn *websocket.Conn) (websocket.MessageType, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	kind, data, err := conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return kind, string(data)
}
