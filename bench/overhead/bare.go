package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	moby "github.com/moby/moby/client"

	"github.com/go-zun/zun/internal/adapter/network/plumb"
	"github.com/go-zun/zun/internal/domain"
)

// bare does what our agent does, with nothing of ours around it but the plumbing.
type bare struct {
	engine  *moby.Client
	nets    *plumb.Plumb
	log     *slog.Logger
	image   string
	dir     string // of the files that containers read
	network string // of ordinary containers
	next    uint16
}

// The ranges of the two networks that this program makes.
const (
	plumbedSubnet  = "10.173.0.0/16"
	ordinarySubnet = "10.174.0.0/16"
)

func newBare(ctx context.Context, s settings, log *slog.Logger) (*bare, error) {
	engine, err := moby.New(moby.WithHost(s.docker))
	if err != nil {
		return nil, fmt.Errorf("reach the container engine: %w", err)
	}
	nets, err := plumb.New(plumb.Options{Deployment: uuid.NewString()}, log)
	if err != nil {
		return nil, err
	}
	b := &bare{engine: engine, nets: nets, log: log, image: s.image, dir: s.dir}
	for name, content := range map[string]string{"hosts": "127.0.0.1\tlocalhost\n", "resolv.conf": "", "hostname": "bare\n"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644); err != nil {
			return nil, fmt.Errorf("write a container's file: %w", err)
		}
	}
	made, err := engine.NetworkCreate(ctx, "zun-bench-"+uuid.NewString(), moby.NetworkCreateOptions{
		Driver: "bridge", IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: netip.MustParsePrefix(ordinarySubnet)}}},
	})
	if err != nil {
		return nil, fmt.Errorf("make the network of ordinary containers: %w", err)
	}
	b.network = made.ID
	return b, nil
}

func (b *bare) close(ctx context.Context) error {
	_, err := b.engine.NetworkRemove(ctx, b.network, moby.NetworkRemoveOptions{})
	return errors.Join(err, b.nets.Teardown(ctx))
}

// nic is an interface of the next address.
func (b *bare) nic() domain.Nic {
	b.next++
	gateway := netip.MustParsePrefix(plumbedSubnet).Addr().Next()
	addr := netip.AddrFrom4([4]byte{10, 173, 1 + byte(b.next/200), 10 + byte(b.next%200)})
	return domain.Nic{
		PortID: uuid.NewString(), NetworkID: "11111111-0000-4000-8000-000000000000", MTU: 1500, Ready: true,
		MAC:       fmt.Sprintf("fa:16:3e:00:%02x:%02x", b.next>>8, b.next&0xff),
		Addresses: []domain.NicAddress{{Addr: addr, Prefix: netip.MustParsePrefix(plumbedSubnet), Gateway: gateway}},
		Binding:   domain.Binding{Type: domain.BindingLocal, Details: map[string]string{domain.DetailIndex: strconv.FormatInt(35*36*36, 36)}},
	}
}

// sandboxed starts a container as our agent does: a sandbox, its interface, and the
// container that joins it.
func (b *bare) sandboxed(ctx context.Context) (leave, error) {
	id, nic := uuid.NewString(), b.nic()
	sandbox, err := b.begin(ctx, moby.ContainerCreateOptions{
		Name: "bench-" + id + "-sandbox", Config: &container.Config{Image: "zun-sandbox:1"},
		HostConfig: &container.HostConfig{
			NetworkMode: "none", ReadonlyRootfs: true, CapDrop: []string{"ALL"},
			SecurityOpt: []string{"no-new-privileges"}, LogConfig: container.LogConfig{Type: "none"},
		},
	})
	if err != nil {
		return nil, err
	}
	if err := b.nets.Plug(ctx, domain.ContainerID(id), "/proc/"+strconv.Itoa(sandbox.State.Pid)+"/ns/net", "eth0", nic); err != nil {
		return nil, err
	}
	member, err := b.begin(ctx, b.member(id, sandbox.ID))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return errors.Join(b.remove(ctx, member.ID), b.nets.Unplug(ctx, domain.ContainerID(id), nic), b.remove(ctx, sandbox.ID))
	}, nil
}

// member is what our agent asks of the engine for a container of the defaults.
func (b *bare) member(id, sandbox string) moby.ContainerCreateOptions {
	pids := int64(4096)
	var files []mount.Mount
	for _, name := range []string{"hosts", "resolv.conf", "hostname"} {
		files = append(files, mount.Mount{Type: mount.TypeBind, Source: filepath.Join(b.dir, name), Target: "/etc/" + name, ReadOnly: true})
	}
	return moby.ContainerCreateOptions{
		Name: "bench-" + id, Config: &container.Config{Image: b.image, Cmd: []string{"sleep", "600"}},
		HostConfig: &container.HostConfig{
			NetworkMode: container.NetworkMode("container:" + sandbox), Mounts: files,
			SecurityOpt: []string{"no-new-privileges"}, CapDrop: []string{"ALL"},
			CapAdd: []string{
				"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "NET_RAW",
				"SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "AUDIT_WRITE",
			},
			LogConfig: container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "10485760", "max-file": "2"}},
			Resources: container.Resources{Memory: 512 << 20, CPUShares: 1024, PidsLimit: &pids},
		},
	}
}

// ordinary starts a container as `docker run -d` does, on a network of the engine.
func (b *bare) ordinary(ctx context.Context) (leave, error) {
	made, err := b.begin(ctx, moby.ContainerCreateOptions{
		Name: "bench-" + uuid.NewString(), Config: &container.Config{Image: b.image, Cmd: []string{"sleep", "600"}},
		HostConfig: &container.HostConfig{NetworkMode: container.NetworkMode(b.network)},
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return b.remove(ctx, made.ID) }, nil
}

// begin creates and starts a container and looks at it.
func (b *bare) begin(ctx context.Context, o moby.ContainerCreateOptions) (container.InspectResponse, error) {
	made, err := b.engine.ContainerCreate(ctx, o)
	if err != nil {
		return container.InspectResponse{}, fmt.Errorf("create %s: %w", o.Name, err)
	}
	if _, err := b.engine.ContainerStart(ctx, made.ID, moby.ContainerStartOptions{}); err != nil {
		return container.InspectResponse{}, errors.Join(fmt.Errorf("start %s: %w", o.Name, err), b.remove(ctx, made.ID))
	}
	seen, err := b.engine.ContainerInspect(ctx, made.ID, moby.ContainerInspectOptions{})
	if err != nil {
		return container.InspectResponse{}, errors.Join(fmt.Errorf("inspect %s: %w", o.Name, err), b.remove(ctx, made.ID))
	}
	return seen.Container, nil
}

// remove also works when the run is broken off: nothing may be left.
func (b *bare) remove(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), bound)
	defer cancel()
	if _, err := b.engine.ContainerRemove(ctx, id, moby.ContainerRemoveOptions{Force: true}); err != nil {
		return fmt.Errorf("remove %s: %w", id, err)
	}
	return nil
}

// execute runs a command by the engine's own calls and takes its output and exit code.
func (b *bare) execute(ctx context.Context, name string) error {
	made, err := b.engine.ExecCreate(ctx, name, moby.ExecCreateOptions{Cmd: []string{"echo", "hello"}, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return fmt.Errorf("make an exec: %w", err)
	}
	attached, err := b.engine.ExecAttach(ctx, made.ID, moby.ExecAttachOptions{})
	if err != nil {
		return fmt.Errorf("join an exec: %w", err)
	}
	defer attached.Close()
	if _, err := stdcopy.StdCopy(io.Discard, io.Discard, attached.Reader); err != nil {
		return fmt.Errorf("read an exec: %w", err)
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		seen, err := b.engine.ExecInspect(ctx, made.ID, moby.ExecInspectOptions{})
		if err != nil || !seen.Running {
			return err
		}
		<-tick.C
	}
}
