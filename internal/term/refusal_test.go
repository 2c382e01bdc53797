package term_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/term"
)

// TestARefusalHangsUp holds that the door ends the connection of each kind of refusal by
// itself, however long the client would wait.
func TestARefusalHangsUp(t *testing.T) {
	d := newDoor(t, func(o *term.Options) { o.WrongPerMinute = 1 })
	now := time.Now()
	d.tell(func() time.Time { return now }) // nothing is forgiven meanwhile
	good := fmt.Sprintf("/?token=%064x&uuid=%s", 1<<40, container)
	const upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	for _, c := range []struct {
		path, header string
		status       int
	}{
		{"/elsewhere", upgrade, http.StatusNotFound},
		{good, "", http.StatusUpgradeRequired},
		{"/", upgrade, http.StatusBadRequest},
		{good, upgrade + "Origin: http://evil.example\r\n", http.StatusForbidden},
		{good, upgrade, http.StatusForbidden},
		{good, upgrade, http.StatusTooManyRequests},
	} {
		if status := d.linger(c.path, c.header); status != c.status {
			t.Errorf("%s %q: %d, want %d", c.path, c.header, status, c.status)
		}
	}
	d.stop()
	if status := d.linger(good, upgrade); status != http.StatusServiceUnavailable {
		t.Errorf("a closed door: %d", status)
	}
}

// linger sends a request and waits until the door hangs up.
func (d *door) linger(path, header string) (status int) {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(d.server.URL, "http://"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		d.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: door\r\n%s\r\n", path, header); err != nil {
		d.t.Fatal(err)
	}
	reader := bufio.NewReader(conn)
	answer, err := http.ReadResponse(reader, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		d.t.Error(err)
	}
	if _, err := reader.ReadByte(); err != io.EOF {
		d.t.Errorf("%s, after the answer %d: %v", path, answer.StatusCode, err)
	}
	return answer.StatusCode
}
