//go:build integration

package crash

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

// room is a network namespace, and a mount namespace in which /run/netns is empty
// and private. What a deployment in a room makes meets no other deployment's, and
// an inventory of the room is exact.
type room struct {
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

func newRoom(t *testing.T) *room {
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
	r := &room{holder: holder}
	if r.net, err = netns.GetFromPid(holder.Process.Pid); err != nil {
		t.Fatalf("enter the room: %v", err)
	}
	t.Cleanup(func() { _ = r.net.Close() })
	return r
}

// command runs in the room; the process is the program itself. It does not outlive
// this test process, however that ends.
func (r *room) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	inside := []string{"--net", "--mount", "--target", strconv.Itoa(r.holder.Process.Pid), "--", name}
	cmd := exec.CommandContext(ctx, "nsenter", append(inside, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// output is what a command in the room prints.
func (r *room) output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := r.command(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// dial connects to an address inside the room. A socket belongs for good to the
// namespace that its thread is in when it is made.
func (r *room) dial(ctx context.Context, address string) (net.Conn, error) {
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
