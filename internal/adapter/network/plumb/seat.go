package plumb

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/domain"
)

// seat tells bridge that nic's MAC is at tap and nowhere else. A bridge that learns believes
// frames which no guard has seen, lets them fill its table, and shows what is for a port that
// has been quiet to all others.
func seat(host *netlink.Handle, tap, bridge netlink.Link, nic domain.Nic) error {
	mac, err := mark.ParseMAC(nic)
	if err != nil {
		return err
	}
	err = host.NeighSet(&netlink.Neigh{
		Family: unix.AF_BRIDGE, LinkIndex: tap.Attrs().Index, MasterIndex: bridge.Attrs().Index,
		Flags: netlink.NTF_MASTER, State: netlink.NUD_NOARP, HardwareAddr: mac,
	})
	if err != nil {
		return fmt.Errorf("tell %s where %s is: %w", bridge.Attrs().Name, nic.MAC, err)
	}
	if err := host.LinkSetLearning(tap, false); err != nil {
		return fmt.Errorf("keep %s from learning at %s: %w", bridge.Attrs().Name, tap.Attrs().Name, err)
	}
	if err := host.LinkSetFlood(tap, false); err != nil {
		return fmt.Errorf("keep what is for others from %s: %w", tap.Attrs().Name, err)
	}
	return nil
}
