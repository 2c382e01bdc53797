package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	moby "github.com/moby/moby/client"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/service"
	"github.com/go-zun/zun/client"
)

const bound = time.Minute

// deployment is the service as three processes, with one container.
type deployment struct {
	engine    *moby.Client
	db        *database.Database
	processes []*service.Service // in the order of their start
	api       *client.Client
	container string // its uuid
}

func newDeployment(ctx context.Context, s settings) (_ *deployment, err error) {
	d := &deployment{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close(context.WithoutCancel(ctx)))
		}
	}()
	if d.engine, err = moby.New(moby.WithHost(s.docker)); err != nil {
		return nil, fmt.Errorf("reach the container engine: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if d.db, err = database.Open(ctx, filepath.Join(s.dir, "api"), "", log); err != nil {
		return nil, err
	}
	if err := d.start(ctx, s); err != nil {
		return nil, err
	}
	made, err := d.api.CreateContainer(ctx, api.ContainerCreate{
		Image: s.image, ImagePullPolicy: "never", ImageDriver: "docker", Command: []string{"sleep", "86400"},
	}, true)
	if err != nil {
		return nil, fmt.Errorf("create a container: %w", err)
	}
	d.container = made.UUID
	return d, d.await(ctx, "a running container", func() (bool, error) {
		now, err := d.api.Container(ctx, d.container, false)
		if err == nil && now.Status == "Error" {
			err = fmt.Errorf("the container failed: %s", *now.StatusReason)
		}
		return err == nil && now.Status == "Running", err
	})
}

// start starts control, the agent and the door.
func (d *deployment) start(ctx context.Context, s settings) error {
	var ports [4]string
	host := ""
	for i := range ports {
		var err error
		if host, ports[i], err = service.FreeAddress(); err != nil {
			return err
		}
	}
	link, agent := host+":"+ports[1], host+":"+ports[2]
	control := service.Options{
		Binary: filepath.Join(s.bin, "zun-api"), Dir: filepath.Join(s.dir, "api"), URL: "http://" + host + ":" + ports[0],
		Settings: []string{
			"api.host_ip=" + host, "api.port=" + ports[0], "api.link_address=" + link, "database.connection=" + d.db.DSN,
			"websocket_proxy.base_url=ws://" + host + ":" + ports[3] + "/", "local.ipv4_pool=10.175.0.0/16", "local.ipv6_pool=",
		},
	}
	up, err := d.process(ctx, control)
	if err != nil {
		return err
	}
	if d.api, _, err = up.Login(ctx); err != nil {
		return err
	}
	hostToken, err := service.Chore(ctx, control, "host-token", "bench")
	if err != nil {
		return err
	}
	doorToken, err := service.Chore(ctx, control, "door-token", "bench")
	if err != nil {
		return err
	}
	_, err = d.process(ctx, service.Options{
		Binary: filepath.Join(s.bin, "zun-compute"), Dir: filepath.Join(s.dir, "compute"),
		Settings: []string{
			"DEFAULT.host=bench", "docker.api_url=" + s.docker, "agent.join_token=" + hostToken, "agent.control_address=" + link,
			"agent.listen=" + agent, "agent.advertise_address=" + agent,
		},
	})
	if err != nil {
		return err
	}
	_, err = d.process(ctx, service.Options{
		Binary: filepath.Join(s.bin, "zun-wsproxy"), Dir: filepath.Join(s.dir, "door"),
		Settings: []string{
			"DEFAULT.host=bench", "websocket_proxy.join_token=" + doorToken, "websocket_proxy.control_address=" + link,
			"websocket_proxy.wsproxy_host=" + host, "websocket_proxy.wsproxy_port=" + ports[3],
		},
	})
	if err != nil {
		return err
	}
	return d.await(ctx, "a host that tells what it offers", func() (bool, error) {
		hosts, err := d.api.Hosts(ctx, client.ListOptions{})
		return len(hosts) > 0 && hosts[0].CPUs > 0, err
	})
}

func (d *deployment) process(ctx context.Context, o service.Options) (*service.Service, error) {
	up, err := service.Start(ctx, o)
	if err == nil {
		d.processes = append(d.processes, up)
	}
	return up, err
}

func (d *deployment) await(ctx context.Context, what string, done func() (bool, error)) error {
	return d.processes[0].Await(ctx, what, bound, done)
}

// close deletes the container, then ends the processes, the last first.
func (d *deployment) close(ctx context.Context) error {
	var failures []error
	if d.container != "" {
		failures = append(failures, d.api.DeleteContainer(ctx, d.container, client.DeleteOptions{Force: true}))
		failures = append(failures, d.await(ctx, "the end of the container", func() (bool, error) {
			_, err := d.api.Container(ctx, d.container, false)
			var refused *client.Error
			if errors.As(err, &refused) && refused.Status == 404 {
				return true, nil
			}
			return false, err
		}))
	}
	for i := len(d.processes) - 1; i >= 0; i-- {
		failures = append(failures, d.processes[i].Stop())
	}
	if d.db != nil {
		failures = append(failures, d.db.Close(ctx))
	}
	return errors.Join(failures...)
}

// ourExec joins a command as our client does.
func (d *deployment) ourExec(ctx context.Context, terminal bool, command string) (line, error) {
	_, address, err := d.api.ExecSession(ctx, d.container, "sh -c '"+command+"'", terminal)
	if err != nil {
		return nil, fmt.Errorf("make a session: %w", err)
	}
	return d.api.Console(ctx, address)
}

// engineExec joins a command by the calls that the agent makes.
func (d *deployment) engineExec(ctx context.Context, terminal bool, command string) (line, error) {
	made, err := d.engine.ExecCreate(ctx, "zun-"+d.container, moby.ExecCreateOptions{
		Cmd: []string{"sh", "-c", command}, TTY: terminal, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, fmt.Errorf("make an exec: %w", err)
	}
	joined, err := d.engine.ExecAttach(ctx, made.ID, moby.ExecAttachOptions{TTY: terminal})
	if err != nil {
		return nil, fmt.Errorf("join an exec: %w", err)
	}
	l := &hijacked{HijackedResponse: joined.HijackedResponse, Reader: joined.Reader}
	if !terminal {
		l.Reader = undone(joined.Reader)
	}
	return l, nil
}

// hijacked is a line to the engine.
type hijacked struct {
	moby.HijackedResponse
	io.Reader
}

// Read implements io.Reader.
func (h *hijacked) Read(p []byte) (int, error) { return h.Reader.Read(p) }

// Write implements io.Writer.
func (h *hijacked) Write(p []byte) (int, error) { return h.Conn.Write(p) }

// Close implements io.Closer.
func (h *hijacked) Close() error {
	h.HijackedResponse.Close()
	return nil
}

// undone takes the engine's frames apart, as who reads without a terminal must.
func undone(from io.Reader) io.Reader {
	r, w := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(w, w, from)
		_ = w.CloseWithError(err) // ends with the reader, or with the connection
	}()
	return r
}
