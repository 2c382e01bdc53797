package plumb

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// How often the kernel is asked whether it has caught up, and how long. It does within a
// millisecond as a rule, and within a second at worst.
const (
	catchUpInterval = 250 * time.Microsecond
	catchUpPatience = 5 * time.Second
)

// awaitReady waits until the link carries packets and takes those for its addresses. The
// kernel sees to both behind the call that asked for it; a process that started before
// would lose its first packet, and a second to the wait for an answer.
func awaitReady(ctx context.Context, h *netlink.Handle, index int, addrs []netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	tick := time.NewTicker(catchUpInterval)
	defer tick.Stop()
	for {
		ready, err := isReady(h, index, addrs)
		if err != nil || ready {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the kernel to open link %d: %w", index, ctx.Err())
		}
	}
}

func isReady(h *netlink.Handle, index int, addrs []netip.Addr) (bool, error) {
	link, err := h.LinkByIndex(index)
	if err != nil {
		return false, fmt.Errorf("look for a carrier: %w", err)
	}
	if link.Attrs().OperState != netlink.OperUp {
		return false, nil
	}
	for _, addr := range addrs {
		routes, err := h.RouteGet(addr.AsSlice())
		if errors.Is(err, unix.ENETUNREACH) || errors.Is(err, unix.EHOSTUNREACH) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("look for the way to %s: %w", addr, err)
		}
		if len(routes) == 0 || routes[0].Type != unix.RTN_LOCAL {
			return false, nil
		}
	}
	return true, nil
}
