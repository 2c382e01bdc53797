//go:build integration

package console

import (
	"slices"
	"testing"
	"time"

	"github.com/go-zun/zun/client"
)

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

// press types at an even pace for span and tells how long each key took to come back.
func (k *keyboard) press(t *testing.T, span time.Duration) (times strokes) {
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
