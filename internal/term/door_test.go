package term_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/term"
)

func asClose(err error, to *websocket.CloseError) bool { return errors.As(err, to) }

func TestOurSubprotocolTellsTheEndOfInputAndTheExitCode(t *testing.T) {
	d := newDoor(t)
	d.make = echoing(7)
	conn := d.mustDial()
	send(t, conn, websocket.MessageBinary, "a\x00\xffb")
	send(t, conn, websocket.MessageText, `{"type":"eof"}`)
	data, signals, end := readAll(t, conn)
	if string(data) != "a\x00\xffb" || len(signals) != 1 || signals[0] != `{"type":"exit","code":7}` {
		t.Errorf("got %q and %q", data, signals)
	}
	if end.Code != websocket.StatusNormalClosure || end.Reason != "Target closed" {
		t.Errorf("closed with %v", end)
	}
	record := d.ended()
	for key, want := range map[string]any{
		"msg": "console", "user": "u1", "project": "p1", "container": container, "exec": execID, "host": "n1",
		"from": "127.0.0.1", "bytes_in": 4.0, "bytes_out": 4.0, "ended_by": "target", "code": 1000.0,
	} {
		if record[key] != want {
			t.Errorf("the record says %s = %v, want %v", key, record[key], want)
		}
	}
	if record["console"] == "" || record["console"] != d.log.wait(t, "opened")["console"] {
		t.Error("the records of one console do not belong together")
	}
}

func TestOlderSubprotocols(t *testing.T) {
	for name, c := range map[string]struct {
		offered            []string
		chosen             string
		kind               websocket.MessageType
		sent, back, middle string
	}{
		"binary":             {[]string{"binary", "base64"}, "binary", websocket.MessageBinary, "ls\n", "ls\n", ""},
		"base64":             {[]string{"base64"}, "base64", websocket.MessageText, "bHMK", "bHMK", ""},
		"none":               {nil, "", websocket.MessageBinary, "ls\n", "ls\n", ""},
		"text is bytes, too": {[]string{"binary"}, "binary", websocket.MessageText, "ls\n", "ls\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			conn := d.mustDial(speaking(c.offered...))
			if conn.Subprotocol() != c.chosen {
				t.Fatalf("chose %q", conn.Subprotocol())
			}
			send(t, conn, c.kind, c.sent)
			if _, data := receive(t, conn); data != c.back {
				t.Errorf("got %q", data)
			}
			_ = d.targets[0].stdin.Close()
			_ = d.targets[0].stdout.Close()
			if _, signals, end := readAll(t, conn); end.Code != 1000 || end.Reason != "Target closed" || len(signals) != 0 {
				t.Errorf("closed with %v after %q", end, signals)
			}
		})
	}
}

// TestBase64TearsNoCharacter sends a character byte by byte, and then a message whose
// frames tear groups of base64; each message back is whole base64, whatever bytes it holds.
func TestBase64TearsNoCharacter(t *testing.T) {
	d := newDoor(t)
	conn := d.mustDial(speaking("base64"))
	const text = "a€ü"
	for i := range len(text) {
		send(t, conn, websocket.MessageText, base64.StdEncoding.EncodeToString([]byte{text[i]}))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	w, err := conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range base64.StdEncoding.EncodeToString([]byte(text)) { // each write is a frame
		if _, err := io.WriteString(w, string(c)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var back []byte
	for len(back) < 2*len(text) {
		_, message := receive(t, conn)
		piece, err := base64.StdEncoding.DecodeString(message)
		if err != nil {
			t.Fatalf("%q came back: %v", message, err)
		}
		back = append(back, piece...)
	}
	if string(back) != text+text {
		t.Errorf("came back: %q", back)
	}
}

func TestTicketsAreRefusedBeforeTheUpgrade(t *testing.T) {
	d := newDoor(t)
	used := d.ticket()
	if conn, _, _ := d.dial(used); conn == nil {
		t.Fatal("a good ticket was refused")
	}
	good := d.ticket()
	guessed := strings.Repeat("f", 64)
	for name, c := range map[string]struct {
		url  string
		want int
	}{
		"replayed":               {used, http.StatusForbidden},
		"guessed":                {d.url(guessed), http.StatusForbidden},
		"of another session":     {strings.Replace(good, execID, strings.Repeat("0", 64), 1), http.StatusForbidden},
		"of another container":   {strings.Replace(good, "3f2b", "4f2b", 1), http.StatusForbidden},
		"none":                   {strings.Replace(good, "token", "tokem", 1), http.StatusBadRequest},
		"short":                  {d.url("abc"), http.StatusBadRequest},
		"in upper case":          {d.url(strings.Repeat("F", 64)), http.StatusBadRequest},
		"twice":                  {good + "&token=" + guessed, http.StatusBadRequest},
		"for no container":       {strings.Replace(good, "uuid", "id", 1), http.StatusBadRequest},
		"for a container's name": {strings.Replace(good, container, "web", 1), http.StatusBadRequest},
		"with a strange session": {strings.Replace(good, execID, "a%2Fb", 1), http.StatusBadRequest},
		"in a broken query":      {good + "&%zz", http.StatusBadRequest},
		"at another address":     {strings.Replace(good, "/?", "/other?", 1), http.StatusNotFound},
	} {
		if _, body, status := d.dial(c.url); status != c.want || body == "" || strings.Contains(body, "f") && strings.Contains(body, guessed) {
			t.Errorf("a ticket %s: %d %q, want %d", name, status, body, c.want)
		}
	}
	if conn, body, status := d.dial(good); conn == nil {
		t.Errorf("the good ticket was spent by strangers: %d %s", status, body)
	}
	if log := d.log.all(); strings.Contains(log, guessed) || strings.Contains(log, good[len(good)-200:len(good)-150]) {
		t.Error("a ticket is in the log")
	}
	if record := d.log.wait(t, "refused"); record["from"] != "127.0.0.1" || record["reason"] == "" {
		t.Errorf("the record of a refusal: %v", record)
	}
}

func TestATicketIsNotSpentOnWhatIsNoWebsocket(t *testing.T) {
	d := newDoor(t)
	good := d.ticket()
	answer, err := http.Get(strings.Replace(good, "ws", "http", 1))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUpgradeRequired || d.questions() != 0 {
		t.Errorf("status %d, %d tickets asked for", answer.StatusCode, d.questions())
	}
	if conn, body, _ := d.dial(good); conn == nil {
		t.Errorf("the ticket was spent: %s", body)
	}
}

// TestATicketIsNotSpentOnAHandshakeThatFails shows one with each upgrade that no library
// would make.
func TestATicketIsNotSpentOnAHandshakeThatFails(t *testing.T) {
	d := newDoor(t)
	good := d.ticket()
	const upgrade, key, version = "Connection: Upgrade\r\nUpgrade: websocket\r\n", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n", "Sec-WebSocket-Version: 13\r\n"
	_, path, _ := strings.Cut(good, "/?")
	for _, header := range []string{
		upgrade,
		upgrade + version,
		upgrade + key,
		upgrade + key + "Sec-WebSocket-Version: 8\r\n",
		upgrade + version + key + key,
		upgrade + version + "Sec-WebSocket-Key: AAAA\r\n",
		upgrade + version + key + "Content-Length: 5\r\n\r\nbody!",
		upgrade + version + key + "Transfer-Encoding: chunked\r\n\r\n5\r\nbody!\r\n0\r\n",
		upgrade + version + "Sec-WebSocket-Key: " + strings.Repeat("!", 30<<10) + "\r\n",
	} {
		if status := d.linger("/?"+path, header); status != http.StatusBadRequest {
			t.Errorf("%.200q: status %d", header, status)
		}
	}
	if d.questions() != 0 || len(d.log.all()) > 8<<10 {
		t.Errorf("%d tickets asked for, %d bytes written to the log", d.questions(), len(d.log.all()))
	}
	if conn, body, _ := d.dial(good); conn == nil {
		t.Errorf("the ticket was spent: %s", body)
	}
}

func TestOrigins(t *testing.T) {
	d := newDoor(t, func(o *term.Options) {
		o.AllowedOrigins = []string{"dashboard.example", "https://secure.example:8443"}
	})
	for origin, allowed := range map[string]bool{
		"http://console.example:6784": true, // what the older client makes of the URL
		"http://console.example":      true,
		"http://CONSOLE.example":      true,
		"http://dashboard.example":    true,
		"https://secure.example:8443": true,
		"https://secure.example":      false,
		"https://console.example":     false, // another scheme than the door's
		"http://evil.example":         false,
		"http://console.example.evil": false,
		"http://evil/console.example": false,
		"http://console.example@evil": false,
		"http://127.0.0.1":            false, // the Host header allows nothing
		"null":                        false,
		"":                            false,
		"http://":                     false,
	} {
		asked := d.questions()
		conn, _, status := d.dial(d.ticket(), from(origin))
		if (conn != nil) != allowed || !allowed && (status != http.StatusForbidden || d.questions() != asked) {
			t.Errorf("origin %q: status %d, asked %d", origin, status, d.questions()-asked)
		}
	}
	two := func(o *websocket.DialOptions) {
		o.HTTPHeader["Origin"] = []string{"http://console.example", "http://evil.example"}
	}
	if conn, _, _ := d.dial(d.ticket(), two); conn != nil {
		t.Error("a second origin was overlooked")
	}
	forwarded := func(o *websocket.DialOptions) {
		o.Host = "evil.example"
		o.HTTPHeader.Set("Origin", "https://evil.example")
		o.HTTPHeader.Set("X-Forwarded-Host", "evil.example")
		o.HTTPHeader.Set("X-Forwarded-Proto", "https")
	}
	for range 3 { // nothing that a request says is remembered either
		if conn, _, _ := d.dial(d.ticket(), forwarded); conn != nil {
			t.Error("a request allowed its own origin")
		}
	}
}

// TestLimits holds that control is told which consoles are open and which ended, and
// that one too many is refused without its ticket being spent.
func TestLimits(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.Counting = 10 * time.Millisecond })
	d.most = 2
	first, _ := d.mustDial(), d.mustDial()
	third := d.ticket()
	if _, body, status := d.dial(third); status != http.StatusTooManyRequests || !strings.Contains(body, "2 consoles") {
		t.Errorf("got %d %q", status, body)
	}
	eventually(t, "control knows of both", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		told := 0
		for _, times := range d.seats {
			told += min(times, 1)
		}
		return told == 2
	})
	_ = first.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the place is free again", func() bool {
		conn, _, _ := d.dial(third)
		return conn != nil
	})
	d.enter = func(context.Context) error { return domain.NewFault(domain.NotFound, "exec-not-found", "gone") }
	d.most = 0
	if _, _, status := d.dial(d.ticket()); status != http.StatusNotFound {
		t.Errorf("a terminal that is gone: %d", status)
	}
	d.stop()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.seats) != 0 || len(d.left) != 4 {
		t.Errorf("still counted: %v; left: %v", d.seats, d.left)
	}
}

func TestATargetThatCannotBeOpened(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.Handshake = 100 * time.Millisecond })
	for want, fault := range map[int]error{
		http.StatusNotFound:           domain.NewFault(domain.NotFound, "exec-not-found", "no such exec instance"),
		http.StatusServiceUnavailable: domain.NewFault(domain.Unavailable, "host-unavailable", "host n1 is down"),
		http.StatusBadGateway:         errors.New("secret detail"),
	} {
		d.enter = func(context.Context) error { return fault }
		if _, body, status := d.dial(d.ticket()); status != want || strings.Contains(body, "secret") {
			t.Errorf("%v: got %d %q", fault, status, body)
		}
	}
	d.enter = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	if _, body, status := d.dial(d.ticket()); status != http.StatusGatewayTimeout {
		t.Errorf("a host that does not answer: %d %q", status, body)
	}
}

func TestTheHostIsGoneInTheMiddle(t *testing.T) {
	d := newDoor(t)
	conn := d.mustDial()
	d.targets[0].fault = domain.NewFault(domain.Unavailable, "host-unavailable", "host n1 broke the terminal off")
	_ = d.targets[0].stdout.Close()
	if _, _, end := readAll(t, conn); end.Code != websocket.StatusInternalError || end.Reason != "The host of the container is gone" {
		t.Errorf("closed with %v", end)
	}
	if record := d.ended(); record["ended_by"] != "host" || !strings.Contains(record["error"].(string), "broke the terminal off") {
		t.Errorf("the record says %v", record)
	}
}

func TestTheUserLeaves(t *testing.T) {
	for name, leave := range map[string]func(*websocket.Conn) error{
		"with a word":    func(c *websocket.Conn) error { return c.Close(websocket.StatusNormalClosure, "bye") },
		"without a word": func(c *websocket.Conn) error { return c.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			d := newDoor(t)
			conn := d.mustDial()
			if err := leave(conn); err != nil {
				t.Fatal(err)
			}
			select {
			case <-d.targets[0].closed:
			case <-time.After(patience):
				t.Fatal("the target was left open")
			}
			if record := d.ended(); record["ended_by"] != "user" {
				t.Errorf("the record says %v", record)
			}
		})
	}
}

func TestAStop(t *testing.T) {
	d := newDoor(t)
	conn := d.mustDial()
	done := make(chan struct{})
	go func() { d.stop(); close(done) }()
	if _, _, end := readAll(t, conn); end.Code != websocket.StatusGoingAway {
		t.Errorf("closed with %v", end)
	}
	<-done
	if _, _, status := d.dial(d.ticket()); status != http.StatusServiceUnavailable {
		t.Errorf("a closed door answered %d", status)
	}
}

func TestBadConfiguration(t *testing.T) {
	for _, base := range []string{"", "http://x/", "ws://", "://", "wss:/x"} {
		if _, err := term.New(term.Deps{Options: term.Options{BaseURL: base}}); err == nil {
			t.Errorf("base_url %q was taken", base)
		}
	}
}
