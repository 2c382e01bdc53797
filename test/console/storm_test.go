//go:build integration

package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The storm comes in gusts, and somebody types all the time. Windows of all kinds come in
// turn, so that each sees the same machine, whatever else that does.
const (
	windows       = 80
	windowLength  = 500 * time.Millisecond
	knocks        = 10000 // within a minute
	knocksPerGust = knocks/(windows/4*2) + 1
	keystrokeRate = 200 // a second
	// swing is what p99s of the same thing differ by where more processes want to run
	// than there are processors.
	swing = 10 * time.Millisecond
)

// The kinds of windows: one in four is quiet; in the next the storm's maker knocks at a
// neighbour of the door, so that the door is idle on a machine that is as busy; two are
// stormy.
const (
	quiet = iota
	idle
	stormy
	kinds
)

// strokes are how long each key took.
type strokes []time.Duration

// TestAStormOfRefusals knocks with what the door refuses while somebody types.
func TestAStormOfRefusals(t *testing.T) {
	d := newDeployment(t)
	keys := d.keyboard(t, d.container("box"))
	gusts, elsewhere := newGusts(d.door+"/"), newGusts(neighbour(t)+"/")
	gusts.blow(t, windowLength) // what is made once is made
	before, highest, began := d.doorNow(t), int64(0), time.Now()
	var times [kinds]strokes
	for n := range windows {
		kind := min(n%4, stormy)
		var gust sync.WaitGroup
		switch kind {
		case idle:
			gust.Go(func() { elsewhere.blow(t, windowLength) })
		case stormy:
			gust.Go(func() { gusts.blow(t, windowLength) })
		}
		times[kind] = append(times[kind], keys.press(t, windowLength)...)
		gust.Wait()
		highest = max(highest, d.proxy.memory(t))
	}
	ended := time.Now()
	t.Logf("%d refusals %v in %s; the door grew by %d KiB at most", gusts.total(), gusts.answers, ended.Sub(began).Round(time.Second), (highest-before.memory)>>10)
	if gusts.total() < knocks || ended.Sub(began) > 90*time.Second {
		t.Error("that was no storm")
	}
	if highest-before.memory > 64<<20 {
		t.Error("the storm took memory")
	}
	felt(t, times)
	d.eventually("nothing of the storm is left", func() bool {
		now := d.doorNow(t)
		return now.files <= before.files && now.goroutines <= before.goroutines
	})
	if took := time.Since(ended); took > 5*time.Second {
		t.Errorf("the last of it was gone after %s", took)
	}
}

// felt holds that who types feels nothing of the storm.
func felt(t *testing.T, times [kinds]strokes) {
	t.Helper()
	for kind, name := range []string{"quiet", "idle", "stormy"} {
		t.Logf("%s: %d keystrokes, p50 %s, p99 %s", name, len(times[kind]), times[kind].quantile(50), times[kind].quantile(99))
	}
	if p99 := times[stormy].quantile(99); p99 >= 2*times[idle].quantile(99) || p99 >= 2*times[quiet].quantile(99)+swing {
		t.Error("the storm was felt by who types")
	}
}

// quantile returns a percentile of times, which it sorts.
func (s strokes) quantile(percent int) time.Duration {
	slices.Sort(s)
	return s[min(len(s)-1, len(s)*percent/100)].Round(10 * time.Microsecond)
}

// TestAStormInsideTheAPI knocks at the door that is part of zun-api.
func TestAStormInsideTheAPI(t *testing.T) {
	d := newDeployment(t)
	gusts := newGusts(d.api + "/console/")
	gusts.blow(t, windowLength) // what is made once is made
	before := figure(t, d.api, "go_goroutines")
	for range 5 {
		gusts.blow(t, windowLength)
	}
	ended := time.Now()
	d.eventually("no goroutine of the storm is left", func() bool { return figure(t, d.api, "go_goroutines") <= before })
	if took := time.Since(ended); took > 5*time.Second {
		t.Errorf("the last of it was gone after %s", took)
	}
	t.Logf("%d refusals %v", gusts.total(), gusts.answers)
}

// doorState is what an open door holds.
type doorState struct {
	memory            int64
	files, goroutines int
}

func (d *deployment) doorNow(t *testing.T) doorState {
	t.Helper()
	return doorState{memory: d.proxy.memory(t), files: d.proxy.files(t), goroutines: int(figure(t, d.figures, "go_goroutines"))}
}

// gusts are refused connects of many kinds and from many addresses.
type gusts struct {
	host, path string

	mu      sync.Mutex
	answers map[int]int // by status
}

// newGusts returns those that knock at host:port/path.
func newGusts(at string) *gusts {
	host, path, _ := strings.Cut(at, "/")
	return &gusts{host: host, path: "/" + path, answers: map[int]int{}}
}

// neighbour answers each request with the same refusal, as little work as a server can
// have, and returns its address.
func neighbour(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var visits sync.WaitGroup
	visits.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			visits.Go(func() {
				defer func() { _ = conn.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.WriteString(conn, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") // the knock misses it
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		visits.Wait()
	})
	return l.Addr().String()
}

func (g *gusts) total() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, count := range g.answers {
		n += count
	}
	return n
}

// blow knocks at an even pace for span, however long the answers take.
func (g *gusts) blow(t *testing.T, span time.Duration) {
	tick := time.NewTicker(span / knocksPerGust)
	defer tick.Stop()
	var crowd sync.WaitGroup
	defer crowd.Wait()
	for range knocksPerGust {
		<-tick.C
		crowd.Go(func() {
			status, err := g.knock()
			if err != nil || status < 400 || status >= 500 && status != http.StatusServiceUnavailable {
				t.Errorf("a knock was answered with %d, %v", status, err)
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			g.answers[status]++
		})
	}
}

// knock shows what must be refused: mostly tickets that were guessed, half of them from
// one address out of a hundred. It speaks by hand, so that the storm takes as little of
// the machine as it can, and waits until the door hangs up.
func (g *gusts) knock() (status int, err error) {
	address := byte(1)
	if rand.IntN(2) == 0 {
		address += byte(rand.IntN(100))
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, address)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", g.host)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	more, header := "", "Upgrade: websocket\r\n"
	switch rand.IntN(10) {
	case 0:
		header += "Origin: http://evil.example\r\n"
	case 1:
		more = "&token=again"
	case 2:
		header = ""
	}
	_, err = fmt.Fprintf(conn, "GET %s?token=%016x%016x%032x&uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11%s HTTP/1.1\r\nHost: door\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n", g.path, rand.Uint64(), rand.Uint64(), 0, more, header)
	if err != nil {
		return 0, err
	}
	whole, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(whole), "\r\n")
	_, err = fmt.Sscanf(line, "HTTP/1.1 %d", &status)
	return status, err
}
