package deployment

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netns"
)

// Room is a network namespace, and a mount namespace in which /run/netns is empty
// and private. What a deployment in a room makes meets no other deployment's, and
// an inventory of the room is exact.
type Room struct {
	holder *exec.Cmd // keeps both namespaces alive until its input ends
	net    netns.NsHandle
}

// furnish runs inside the new namespaces; it ends when this test process does.
const furnish = `set -e
mkdir -p /run/netns
mount -t tmpfs tmpfs /run/netns
ip link set lo up
echo ready
exec cat`

func newRoom(t *testing.T) *Room {
	t.Helper()
	holder := exec.Command("unshare", "--net", "--mount", "sh", "-c", furnish)
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints strings.Builder
	holder.Stderr = &complaints
	if err := holder.Start(); err != nil {
		t.Fatalf("make a room: %v", err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = holder.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("make a room (it needs root, unshare and ip): %v %s", err, complaints.String())
	}
	r := &Room{holder: holder}
	if r.net, err = netns.GetFromPid(holder.Process.Pid); err != nil {
		t.Fatalf("enter the room: %v", err)
	}
	t.Cleanup(func() { _ = r.net.Close() })
	return r
}

// command runs in the room; the process is the program itself. It does not outlive
// this test process, however that ends.
func (r *Room) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	inside := []string{"--net", "--mount", "--target", strconv.Itoa(r.holder.Process.Pid), "--", name}
	cmd := exec.CommandContext(ctx, "nsenter", append(inside, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Output is what a command in the room prints.
func (r *Room) Output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := r.Try(t.Context(), name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Try runs a command that may fail, and returns what it printed.
func (r *Room) Try(ctx context.Context, name string, args ...string) (string, error) {
	out, err := r.command(ctx, name, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return string(out), nil
}

// dial connects to an address inside the room. A socket belongs for good to the
// namespace that its thread is in when it is made.
func (r *Room) dial(ctx context.Context, address string) (net.Conn, error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	defer func() { _ = home.Close() }()
	if err := netns.Set(r.net); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp4", address)
	if failed := netns.Set(home); failed != nil {
		return nil, fmt.Errorf("leave the room: %w", failed) // the thread stays locked and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return conn, err
}

// Knock connects to the first address that opens, as a load balancer would.
func (r *Room) Knock(ctx context.Context, doors []string) (conn net.Conn, err error) {
	for _, door := range doors {
		if conn, err = r.dial(ctx, door); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// wire lays a cable from r to other, the n-th, and returns the address of each end.
// The addresses are of a range for documentation, which no network of a test uses.
func (r *Room) wire(t *testing.T, other *Room, n int) (here, there string) {
	t.Helper()
	name := fmt.Sprintf("wire%d", n)
	here, there = fmt.Sprintf("192.0.2.%d", 4*n+1), fmt.Sprintf("192.0.2.%d", 4*n+2)
	r.Output(t, "ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", strconv.Itoa(other.holder.Process.Pid))
	for _, end := range []struct {
		room       *Room
		link, addr string
	}{{r, name, here}, {other, "uplink", there}} {
		end.room.Output(t, "ip", "address", "add", end.addr+"/30", "dev", end.link)
		end.room.Output(t, "ip", "link", "set", end.link, "up")
	}
	return here, there
}
