package plumb

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/domain"
)

// sysctlBridge is there when the kernel can show bridged packets to its IP filters.
const sysctlBridge = "/proc/sys/net/bridge"

// filterBridge has packets between ports of one bridge come by the IP filters, if nic, which
// is one of them, is in groups. The kernel's own switch is for all bridges of the host, so
// each of ours is told by itself.
func filterBridge(bridge netlink.Link, nic domain.Nic) error {
	if len(nic.Groups) == 0 {
		return nil
	}
	if err := ensureBridgeFilter(); err != nil {
		return err
	}
	request := nl.NewNetlinkRequest(unix.RTM_NEWLINK, unix.NLM_F_ACK)
	message := nl.NewIfInfomsg(unix.AF_UNSPEC)
	message.Index = int32(bridge.Attrs().Index)
	request.AddData(message)
	info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
	info.AddRtAttr(nl.IFLA_INFO_KIND, nl.NonZeroTerminated("bridge"))
	data := info.AddRtAttr(nl.IFLA_INFO_DATA, nil)
	data.AddRtAttr(nl.IFLA_BR_NF_CALL_IPTABLES, nl.Uint8Attr(1))
	data.AddRtAttr(nl.IFLA_BR_NF_CALL_IP6TABLES, nl.Uint8Attr(1))
	request.AddData(info)
	if _, err := request.Execute(unix.NETLINK_ROUTE, 0); err != nil {
		return fmt.Errorf("have %s filtered: %w", bridge.Attrs().Name, err)
	}
	return nil
}

// ensureBridgeFilter loads the kernel's part if it is a module. It switches filtering on
// for all bridges as it comes, which nobody asked for, so that is undone.
func ensureBridgeFilter() error {
	if _, err := os.Stat(sysctlBridge); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	told, err := exec.CommandContext(ctx, "modprobe", "br_netfilter").CombinedOutput()
	if _, missing := os.Stat(sysctlBridge); missing != nil {
		return domain.WrapFault(errors.Join(err, errors.New(string(told))), domain.Unsupported, "port-binding-failed",
			"The host's kernel cannot enforce security groups: it has no br_netfilter.")
	}
	for _, key := range []string{"bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"} {
		if err := writeSwitch(sysctlBridge+"/"+key, "0"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
