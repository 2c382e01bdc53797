//go:build integration

package console

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
)

// Storms: 10,000 refused connects within a minute, in every other of sixty windows of
// a second, so that both kinds of window see the same machine.
const (
	windows       = 60
	windowLength  = time.Second
	knocksPerGust = 10000/(windows/2) + 1
	keystrokeRate = 100 // a second
	// swing is what p99s of the same thing differ by where more processes want to run
	// than there are processors, as beside the storm's own maker.
	swing = 10 * time.Millisecond
)

// storm knocks with what the door refuses while somebody types.
func storm(t *testing.T, d *deployment, box string) {
	keys := d.keyboard(t, box)
	memory, files := d.proxy.memory(t), d.proxy.files(t)
	began, highest := time.Now(), memory
	var times [2][]time.Duration // quiet, stormy
	gusts := newGusts(d)
	for window := range windows {
		stormy := window % 2
		var gust sync.WaitGroup
		if stormy == 1 {
			gust.Go(func() { gusts.blow(t, windowLength) })
		}
		times[stormy] = append(times[stormy], keys.press(t, windowLength)...)
		gust.Wait()
		highest = max(highest, d.proxy.memory(t))
	}
	took := time.Since(began)
	quiet, stormy := ranked(times[0]), ranked(times[1])
	t.Logf("%d refusals %v in %s; the door grew by %d KiB at most; keystrokes p50 %s and %s, p99 %s and %s (quiet, stormy; %d and %d)",
		gusts.total(), gusts.answers, took.Round(time.Second), (highest-memory)>>10,
		quiet(50), stormy(50), quiet(99), stormy(99), len(times[0]), len(times[1]))
	if gusts.total() < 10000 || took > 90*time.Second {
		t.Error("that was no storm")
	}
	if highest-memory > 64<<20 {
		t.Error("the storm took memory")
	}
	if stormy(99) >= 2*quiet(99)+swing {
		t.Error("the storm was felt by who types")
	}
	ended := time.Now()
	d.eventually("what the storm opened is closed", func() bool { return d.proxy.files(t) <= files+2 })
	if took := time.Since(ended); took > 5*time.Second {
		t.Errorf("the last connection was gone after %s", took)
	}
}

// ranked returns a function that tells a percentile of times.
func ranked(times []time.Duration) func(percent int) time.Duration {
	slices.Sort(times)
	return func(percent int) time.Duration {
		return times[min(len(times)-1, len(times)*percent/100)].Round(10 * time.Microsecond)
	}
}

// keyboard is a console whose far side sends back each byte.
type keyboard struct{ console *client.Console }

func (d *deployment) keyboard(t *testing.T, box string) *keyboard {
	t.Helper()
	c := d.client()
	_, address, err := c.ExecSession(t.Context(), box, `sh -c "stty raw -echo; echo ready; exec cat"`, true)
	if err != nil {
		t.Fatal(err)
	}
	console, err := c.Console(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = console.Close() })
	for seen := ""; !slices.Contains([]string{"ready\n", "ready\r\n"}, seen); {
		text := make([]byte, 16)
		n, err := console.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		seen += string(text[:n])
	}
	return &keyboard{console: console}
}

// press types at an even pace for span and returns how long each key took to come back.
func (k *keyboard) press(t *testing.T, span time.Duration) (times []time.Duration) {
	t.Helper()
	tick := time.NewTicker(time.Second / keystrokeRate)
	defer tick.Stop()
	key := []byte{'x'}
	for end := time.Now().Add(span); time.Now().Before(end); <-tick.C {
		began := time.Now()
		if _, err := k.console.Write(key); err != nil {
			t.Fatal(err)
		}
		if n, err := k.console.Read(key); err != nil || n != 1 || key[0] != 'x' {
			t.Fatalf("came back: %q, %v", key[:n], err)
		}
		times = append(times, time.Since(began))
	}
	return times
}

// gusts are refused connects of many kinds and from many addresses.
type gusts struct {
	d    *deployment
	pool []*http.Client

	mu      sync.Mutex
	answers map[int]int // by status
}

// newGusts prepares clients of a hundred addresses; each connection is a new one.
func newGusts(d *deployment) *gusts {
	g := &gusts{d: d, answers: map[int]int{}}
	for i := range 100 {
		dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(i+1))}}
		g.pool = append(g.pool, &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: dialer.DialContext}})
	}
	return g
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
		crowd.Go(func() { g.knock(t) })
	}
}

// knock shows what must be refused: mostly tickets that were guessed, half of them from
// one address.
func (g *gusts) knock(t *testing.T) {
	who := g.pool[0]
	if rand.IntN(2) == 0 {
		who = g.pool[rand.IntN(len(g.pool))]
	}
	address := fmt.Sprintf("http://%s/?token=%032x%032x&uuid=3f2b8a52-7e7c-4d4c-9f0e-0d3d1b8f5a11", g.d.door, rand.Uint64(), rand.Uint64())
	header := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
	switch rand.IntN(10) {
	case 0:
		header["Origin"] = "http://evil.example"
	case 1:
		address += "&token=again"
	case 2:
		delete(header, "Upgrade")
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Error(err)
		return
	}
	for key, value := range header {
		r.Header.Set(key, value)
	}
	answer, err := who.Do(r)
	if err != nil {
		t.Error(err)
		return
	}
	_ = answer.Body.Close()
	if answer.StatusCode < 400 || answer.StatusCode >= 500 && answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a knock was answered with %d", answer.StatusCode)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[answer.StatusCode]++
}
