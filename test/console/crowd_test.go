//go:build integration

package console

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/go-zun/zun/client"
)

// joined opens a session as our client does, for the length of the test.
func (d *deployment) joined(t *testing.T, box, command string) (*client.Console, error) {
	c := d.client()
	_, address, err := c.ExecSession(t.Context(), box, command, false)
	if err != nil {
		return nil, err
	}
	console, err := c.Console(t.Context(), address)
	if err == nil {
		t.Cleanup(func() { _ = console.Close() })
	}
	return console, err
}

// hundred has a hundred sessions, all open at once, carry different bytes.
func hundred(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	const all = 100
	var crowd, opened sync.WaitGroup
	opened.Add(all)
	gate := make(chan struct{}, 8) // so many sessions are made at once
	for i := range all {
		crowd.Go(func() {
			gate <- struct{}{}
			console, err := d.joined(t, box, "cat")
			<-gate
			opened.Done()
			if err != nil {
				t.Errorf("console %d: %v", i, err)
				return
			}
			talk(t, i, console, opened.Wait)
		})
	}
	crowd.Wait()
}

// talk sends a text once the others are there, and reads it back meanwhile, as a client
// does that answers pings.
func talk(t *testing.T, i int, console *client.Console, others func()) {
	text := []byte(strings.Repeat(fmt.Sprintf("console %d\n", i), 6000))
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() {
		others()
		if _, err := console.Write(text); err != nil {
			t.Errorf("console %d: %v", i, err)
		}
		_ = console.CloseWrite()
	})
	got, err := io.ReadAll(console)
	if code, told := console.ExitCode(); err != nil || !bytes.Equal(got, text) || !told || code != 0 {
		t.Errorf("console %d: %d of %d bytes, exit code %d %v, %v", i, len(got), len(text), code, told, err)
	}
}

// slow has processes print without end for readers that read nothing: they come to a halt,
// and what is between them and who does not read is little.
func slow(t *testing.T, d *deployment, box string) {
	d = d.of(t)
	const readers, taken, command = 10, 1 << 20, "cat /dev/zero /nobody/reads/this"
	agent, door := d.compute.memory(t), d.proxy.memory(t)
	for range readers {
		console, err := d.joined(t, box, command)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(console, make([]byte, taken)); err != nil { // it flows, then nobody reads
			t.Fatal(err)
		}
	}
	calm, printed := 0, int64(0)
	d.eventually("the processes are held back", func() bool {
		now := written(t, command, readers)
		if calm++; now != printed {
			calm, printed = 0, now
		}
		return calm == 20
	})
	held := printed - readers*taken
	agent, door = d.compute.memory(t)-agent, d.proxy.memory(t)-door
	t.Logf("%d readers that read nothing; under way: %d KiB; grown: agent %d KiB, door %d KiB", readers, held>>10, agent>>10, door>>10)
	if held > readers*16<<20 { // the sockets on the way take some of it, too
		t.Error("the processes go on printing what nobody reads")
	}
	if agent > 256<<20 || door > 256<<20 { // mostly garbage of the first moments, and of what ran before
		t.Error("what nobody reads is held in memory")
	}
}

// ended has a container end under an attached console.
func ended(t *testing.T, d *deployment) {
	d = d.of(t)
	box := d.container("brief")
	c := d.client()
	address, err := c.Attach(t.Context(), box)
	if err != nil {
		t.Fatal(err)
	}
	console, err := c.Console(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = console.Close() })
	if _, err := console.Write([]byte("\rexit 5\r")); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(console)
	if code, told := console.ExitCode(); err != nil || !told || code != 5 {
		t.Errorf("exit code %d %v, %v after %q", code, told, err, said)
	}
}
