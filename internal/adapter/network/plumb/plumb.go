package plumb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/go-zun/zun/internal/adapter/network/plumb/mark"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/domain"
)

// kernelPatience bounds one exchange with the kernel.
const kernelPatience = 10 * time.Second

// maxListTries bounds how often a list is made anew on a host whose links change all the time.
const maxListTries = 16

// Options are what plumb must know of this host and deployment.
type Options struct {
	// Deployment is the id that all of this deployment's things are marked with.
	Deployment string
	// HostAccess are services of the host that containers may reach on their gateway.
	HostAccess []Service
	// Uplinks are the interfaces through which answers from the world come back;
	// empty means those that hold a default route.
	Uplinks []string
}

// Service is a transport port of the host.
type Service struct {
	UDP  bool
	Port uint16
}

// Plumb plugs ports on this host. Its methods may be called at the same time.
type Plumb struct {
	owner    mark.Owner
	log      *slog.Logger
	local    *localBinding
	bindings map[string]binding
	// pass lets plugs run side by side, but none while Sync or Teardown looks at
	// the whole host: a bridge without a port would otherwise vanish under a plug.
	pass sync.RWMutex
}

var (
	_ agent.Nets     = (*Plumb)(nil)
	_ agent.Preparer = (*Plumb)(nil)
)

// New returns the plumbing of one deployment on this host. It touches nothing yet.
func New(opts Options, log *slog.Logger) (*Plumb, error) {
	if opts.Deployment == "" || strings.Contains(opts.Deployment, "/") {
		return nil, fmt.Errorf("plumb: deployment id %q is empty or holds a slash", opts.Deployment)
	}
	own := mark.NewOwner(opts.Deployment)
	local := newLocalBinding(own, opts, log)
	return &Plumb{
		owner:    own,
		log:      log,
		local:    local,
		bindings: map[string]binding{domain.BindingLocal: local},
	}, nil
}

// Prepare implements agent.Preparer: the bridge of the nic's network stands, and the rules
// of its port, which go by the name of a link that is yet to come. Faults are Plug's.
func (p *Plumb) Prepare(ctx context.Context, nic domain.Nic) error {
	if err := checkNic(nic); err != nil {
		return err
	}
	return p.wire("prepare", nic, func(host *netlink.Handle, bind binding) error {
		return bind.prepare(ctx, host, nic)
	})
}

// Plug makes nic in the namespace at netns as interface name. What exists already is
// completed, and a host end whose namespace died is replaced. The first interface,
// eth0, gets the default routes. Faults: NotFound (no such namespace), Invalid (the
// nic is not complete), Unsupported (unknown binding), Conflict (the network's
// addresses overlap this host's routes).
func (p *Plumb) Plug(ctx context.Context, id domain.ContainerID, netns, name string, nic domain.Nic) error {
	if err := checkNic(nic); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("plug port %s: %w", nic.PortID, err)
	}
	return p.wire("plug", nic, func(host *netlink.Handle, bind binding) error {
		box, err := openSandbox(netns)
		if err != nil {
			return err
		}
		defer box.close()
		if err := bind.prepare(ctx, host, nic); err != nil {
			return err
		}
		tap, err := p.ensurePair(host, box, pair{container: id, nic: nic, inside: name, group: bind.group()})
		if err != nil {
			return err
		}
		// Inside first: once the host end is up the port must be whole.
		if err := box.configure(name, nic); err != nil {
			return err
		}
		if err := bind.attach(ctx, host, tap, nic); err != nil {
			return err
		}
		if err := awaitReady(ctx, host, tap.Attrs().Index, nil); err != nil {
			return err
		}
		return box.awaitReady(ctx, name, nic)
	})
}

// Unplug removes the host end of nic, and with it the sandbox's end; the namespace
// may be gone. A link of that name that is not ours is left alone. The link goes last: it
// is what a later run finds the port by, if this one is cut off.
func (p *Plumb) Unplug(ctx context.Context, _ domain.ContainerID, nic domain.Nic) error {
	return p.wire("unplug", nic, func(host *netlink.Handle, bind binding) error {
		tap, err := findLink(host, mark.TapName(nic.PortID))
		if err != nil {
			return err
		}
		if tap == nil {
			return bind.detach(ctx, nic)
		}
		if !p.owns(tap) {
			return nil
		}
		if err := host.LinkSetDown(tap); err != nil && !isGone(err) {
			return fmt.Errorf("bring %s down: %w", tap.Attrs().Name, err)
		}
		if err := bind.detach(ctx, nic); err != nil {
			return err
		}
		if err := host.LinkDel(tap); err != nil && !isGone(err) {
			return fmt.Errorf("delete %s: %w", tap.Attrs().Name, err)
		}
		return nil
	})
}

// wire does what concerns the one port of nic, beside others but never while Sync or
// Teardown looks at the whole host. word names it in errors.
func (p *Plumb) wire(word string, nic domain.Nic, do func(host *netlink.Handle, bind binding) error) error {
	bind, err := p.bindingOf(nic)
	if err != nil {
		return err
	}
	p.pass.RLock()
	defer p.pass.RUnlock()
	host, err := openHost()
	if err != nil {
		return err
	}
	defer host.Close()
	if err := do(host, bind); err != nil {
		return fmt.Errorf("%s port %s: %w", word, nic.PortID, err)
	}
	return nil
}

// Plugged lists the host ends of this deployment. One that a crash left before it was
// marked has no container, and as PortID only what the link's name tells; Unplug
// takes that as well.
func (p *Plumb) Plugged(context.Context) ([]agent.Plugged, error) {
	host, err := openHost()
	if err != nil {
		return nil, err
	}
	defer host.Close()
	links, err := listLinks(host)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var found []agent.Plugged
	for _, link := range links {
		name := link.Attrs().Name
		if !p.owns(link) {
			continue
		}
		id, portID, ok := p.owner.ParseAlias(link.Attrs().Alias)
		if !ok {
			portID = strings.TrimPrefix(name, "tap")
		}
		found = append(found, agent.Plugged{Container: id, PortID: portID, Link: name})
	}
	return found, nil
}

// Sync makes bridges and rules fit: those of the local nics in use exist, bridges
// without ports that none of them needs are removed, rules are laid again, also after
// a firewall was reloaded. A network that cannot stand does not keep the others down:
// the errors are joined.
func (p *Plumb) Sync(_ context.Context, inUse []domain.Nic) error {
	p.pass.Lock()
	defer p.pass.Unlock()
	host, err := openHost()
	if err != nil {
		return err
	}
	defer host.Close()
	var nics []domain.Nic
	for _, nic := range inUse {
		if nic.Binding.Type == domain.BindingLocal {
			nics = append(nics, nic)
		}
	}
	return p.local.sync(host, nics)
}

// Teardown removes everything of this deployment from the host: host ends, bridges
// with their addresses and routes, and rules. It may be repeated.
func (p *Plumb) Teardown(context.Context) error {
	p.pass.Lock()
	defer p.pass.Unlock()
	host, err := openHost()
	if err != nil {
		return err
	}
	defer host.Close()
	links, err := listLinks(host)
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	var errs []error
	for _, link := range links {
		if !p.owns(link) {
			continue
		}
		if err := host.LinkDel(link); err != nil && !isGone(err) {
			errs = append(errs, fmt.Errorf("delete %s: %w", link.Attrs().Name, err))
		}
	}
	return errors.Join(append(errs, p.local.sync(host, nil))...)
}

// owns says whether link is a host end of this deployment.
func (p *Plumb) owns(link netlink.Link) bool {
	attrs := link.Attrs()
	if !strings.HasPrefix(attrs.Name, "tap") {
		return false
	}
	_, _, marked := p.owner.ParseAlias(attrs.Alias)
	return marked || attrs.Group == p.owner.Group
}

func openHost() (*netlink.Handle, error) {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open the kernel's routing socket: %w", err)
	}
	if err := host.SetSocketTimeout(kernelPatience); err != nil {
		host.Close()
		return nil, fmt.Errorf("bound the kernel's routing socket: %w", err)
	}
	return host, nil
}

// findLink returns the link called name, nil if there is none.
func findLink(h *netlink.Handle, name string) (netlink.Link, error) {
	link, err := h.LinkByName(name)
	if err == nil {
		return link, nil
	}
	var missing netlink.LinkNotFoundError
	if errors.As(err, &missing) {
		return nil, nil //nolint:nilnil // absence is an answer here, not a failure
	}
	return nil, fmt.Errorf("look for link %s: %w", name, err)
}

// listLinks lists the host's links. A list during which others came or went is made anew.
func listLinks(host *netlink.Handle) ([]netlink.Link, error) {
	for try := 0; ; try++ {
		links, err := host.LinkList()
		if !errors.Is(err, netlink.ErrDumpInterrupted) || try == maxListTries {
			return links, err //nolint:wrapcheck // wrapped by each caller with what it looks for
		}
	}
}

// isGone says that the kernel no longer knows a thing that was to be removed.
func isGone(err error) bool {
	return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) || errors.Is(err, os.ErrNotExist)
}
