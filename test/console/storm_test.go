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

// The storm: 10,000 refused connects within a minute, at an even pace, while somebody types.
// It pauses for a moment after every three gusts, so that quiet and storm are measured on
// the same machine, whatever else that does.
const (
	knocks        = 10000
	gustLength    = time.Minute / gustCount
	gustCount     = 120 // in a minute
	knocksPerGust = (knocks + gustCount - 1) / gustCount
	gustsInARow   = 3
	keystrokeRate = 200 // a second
	// tries bounds how often the storm is blown: what else runs on the machine can only
	// make the typing look worse in it, never better.
	tries = 3
)

// strokes are how long each key took.
type strokes []time.Duration

// TestAStormOfRefusals knocks with what the door refuses while somebody types, who must
// feel nothing of it: the p99 of the keys is below twice that of an idle door.
func TestAStormOfRefusals(t *testing.T) {
	d := newDeployment(t)
	keys := d.keyboard(t, d.container("box"))
	gusts := newGusts(d.door + "/")
	gusts.blow(t, gustLength) // what is made once is made
	for n := 1; ; n++ {
		quiet, stormy := d.storm(t, keys, gusts)
		if stormy < 2*quiet {
			return
		}
		if n == tries {
			t.Fatalf("who types felt each of %d storms", tries)
		}
	}
}

// storm blows once, and holds that it leaves nothing. It returns the p99 of the keys that
// were pressed between its gusts and in them.
func (d *deployment) storm(t *testing.T, keys *keyboard, gusts *gusts) (quiet, stormy time.Duration) {
	t.Helper()
	before, highest, began, met := d.doorNow(t), int64(0), time.Now(), gusts.total()
	var between, within strokes
	for n := range gustCount {
		if n%gustsInARow == 0 {
			between = append(between, keys.press(t, gustLength)...)
		}
		var gust sync.WaitGroup
		gust.Go(func() { gusts.blow(t, gustLength) })
		within = append(within, keys.press(t, gustLength)...)
		gust.Wait()
		highest = max(highest, d.proxy.memory(t))
	}
	ended := time.Now()
	t.Logf("%d refusals, so far %v, in %s with the pauses; the door grew by %d KiB at most", gusts.total()-met, gusts.answers, ended.Sub(began).Round(time.Second), (highest-before.memory)>>10)
	if gusts.total()-met < knocks || ended.Sub(began) > 2*time.Minute {
		t.Error("that was no storm")
	}
	if highest-before.memory > 64<<20 {
		t.Error("the storm took memory")
	}
	d.eventually("nothing of the storm is left", func() bool {
		now := d.doorNow(t)
		return now.files <= before.files && now.goroutines <= before.goroutines
	})
	if took := time.Since(ended); took > 5*time.Second {
		t.Errorf("the last of it was gone after %s", took)
	}
	quiet, stormy = between.quantile(99), within.quantile(99)
	t.Logf("between: %d keystrokes, p50 %s, p99 %s; within: %d, p50 %s, p99 %s", len(between), between.quantile(50), quiet, len(within), within.quantile(50), stormy)
	return quiet, stormy
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
	gusts.blow(t, gustLength) // what is made once is made
	before := figure(t, d.api, "go_goroutines")
	for range 15 {
		gusts.blow(t, gustLength)
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
