//go:build integration

package console

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// The crowd: so many strangers, one after the other at an even pace, say half of what they
// want over TLS and stay.
const (
	strangers        = 4000
	strangersASecond = 400
	strangerSources  = 100
	heldMost         = 256                    // as many as wait within the door, wherever they stand
	felt             = 100 * time.Millisecond // less, and who types sees no delay
)

// TestACrowdOfUnfinishedRequests lets the crowd come while somebody types, who must not
// feel it, nor may the door's memory. It holds newcomers up neither while it comes nor
// once it is there.
func TestACrowdOfUnfinishedRequests(t *testing.T) {
	d := newDeployment(t)
	d.certificate(t)
	d.proxy.end()
	d.proxy.start("--set=websocket_proxy.cert="+filepath.Join(d.dir, "cert.pem"), "--set=websocket_proxy.key="+filepath.Join(d.dir, "key.pem"))
	d.eventually("the console door listens again", func() bool {
		conn, err := net.Dial("tcp", d.door)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	box := d.container("box")
	keys := d.keyboard(t, box)
	before := d.doorNow(t)
	for try := 1; !d.isUnmoved(t, box, keys, before); try++ { // what else runs on the machine counts against the door
		if try == 3 {
			t.Fatalf("who types feels the crowd: a key may take %s", felt)
		}
		d.eventually("the crowd is gone", func() bool { return d.doorNow(t).files <= before.files+16 })
	}
}

// isUnmoved has the crowd come and leave, and says whether who typed felt nothing of it.
func (d *deployment) isUnmoved(t *testing.T, box string, keys *keyboard, before doorState) bool {
	t.Helper()
	quiet := keys.press(t, 5*time.Second)
	grown := d.proxy.grown(t)
	var crowd crowd
	defer crowd.leave()
	var coming sync.WaitGroup
	coming.Go(func() { crowd.come(t, d.door) })
	var within strokes
	for begun := time.Now(); time.Since(begun) < strangers/strangersASecond*time.Second; {
		within = append(within, keys.press(t, time.Second)...)
		d.enters(t, box)
	}
	coming.Wait()
	after := keys.press(t, 2*time.Second)
	d.enters(t, box)
	now, memory := d.doorNow(t), grown()
	t.Logf("keys: quiet p50 %s, p99 %s; while the crowd comes p50 %s, p99 %s; with it there p99 %s; the door grew by %d KiB at most and holds %d more connections",
		quiet.quantile(50), quiet.quantile(99), within.quantile(50), within.quantile(99), after.quantile(99), memory>>10, now.files-before.files)
	if memory > 64<<20 {
		t.Error("the crowd took memory")
	}
	if held := now.files - before.files; held < heldMost/2 || held > heldMost+16 { // what connects the door to others may come and go
		t.Errorf("%d of the crowd are held", held)
	}
	return within.quantile(99) <= felt && after.quantile(99) <= felt
}

// enters opens one more console, which ends at once.
func (d *deployment) enters(t *testing.T, box string) {
	t.Helper()
	began := time.Now()
	console, err := d.joined(t, box, "true")
	if err != nil {
		t.Fatalf("a newcomer was held up: %v", err)
	}
	if _, err := io.ReadAll(console); err != nil {
		t.Errorf("a newcomer's console: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a newcomer waited for %s", took)
	}
}

// crowd are connections that are not finished.
type crowd struct {
	mu    sync.Mutex
	conns []net.Conn
}

// come has the crowd come. Who is hung up on is none the wiser.
func (c *crowd) come(t *testing.T, door string) {
	tick := time.NewTicker(time.Second / strangersASecond)
	defer tick.Stop()
	var coming sync.WaitGroup
	defer coming.Wait()
	half := fmt.Sprintf("GET /?token=%064d&uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11 HTTP/1.1\r\nHost: door\r\nCookie: %s", 0, strings.Repeat("c", 12<<10))
	for n := range strangers {
		<-tick.C
		coming.Go(func() {
			dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n%strangerSources))}, Timeout: patience}
			raw, err := dialer.Dial("tcp", door)
			if err != nil {
				t.Errorf("stranger %d: %v", n, err)
				return
			}
			c.mu.Lock()
			c.conns = append(c.conns, raw)
			c.mu.Unlock()
			conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
			_, _ = io.WriteString(conn, half)
		})
	}
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

// TestACrowdAtTheAPI has a crowd say half of long requests to zun-api, which holds few of
// them and answers others meanwhile.
func TestACrowdAtTheAPI(t *testing.T) {
	const heldByTheAPI = 512
	d := newDeployment(t)
	before, grown := d.service.files(t), d.service.grown(t)
	var crowd crowd
	defer crowd.leave()
	half := "GET / HTTP/1.1\r\nHost: api\r\nCookie: " + strings.Repeat("c", 60<<10)
	for range strangers {
		conn, err := net.DialTimeout("tcp", d.api, patience)
		if err != nil {
			t.Fatal(err)
		}
		crowd.conns = append(crowd.conns, conn)
		_ = conn.SetWriteDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(conn, half) // who was hung up on is none the wiser
	}
	held, began := d.service.files(t)-before, time.Now()
	if out, err := d.zun("list").CombinedOutput(); err != nil {
		t.Errorf("a user in the crowd: %v\n%s", err, out)
	}
	t.Logf("zun-api holds %d more connections and grew by %d KiB at most; a user was answered in %s", held, grown()>>10, time.Since(began).Round(time.Millisecond))
	if held > heldByTheAPI+16 { // what connects it to others may come and go
		t.Errorf("%d of the crowd are held", held)
	}
	if grown() > 512<<20 { // mostly garbage: four thousand such requests, or any number, come within a second
		t.Error("the crowd took memory")
	}
}
