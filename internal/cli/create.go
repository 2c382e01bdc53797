package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/grammar"
)

// createOptions are the arguments shared by create and run, as typed.
type createOptions struct {
	name, memory, workdir, hostname, pullPolicy, imageDriver, restart  string
	runtime, zone, host, healthcheck, registry, entrypoint             string
	cpu                                                                float64
	disk                                                               int64
	environment, labels, hints, groups, exposed, nets, mounts          []string
	interactive, tty, autoRemove, autoHeal, privileged, waitUntilReady bool
}

func (o *createOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVarP(&o.name, "name", "n", "", "name of the container")
	f.Float64Var(&o.cpu, "cpu", 0, "number of CPUs")
	f.StringVarP(&o.memory, "memory", "m", "", "memory in MiB")
	f.Int64Var(&o.disk, "disk", 0, "disk in GiB")
	f.StringArrayVarP(&o.environment, "environment", "e", nil, "environment variable KEY=VALUE; repeatable")
	f.StringArrayVar(&o.labels, "label", nil, "label KEY=VALUE; repeatable")
	f.StringArrayVar(&o.hints, "hint", nil, "scheduler hint KEY=VALUE; repeatable")
	f.StringVar(&o.workdir, "workdir", "", "working directory of the command")
	f.StringVar(&o.hostname, "hostname", "", "host name inside")
	f.StringVar(&o.pullPolicy, "image-pull-policy", "", "always, ifnotpresent or never")
	f.StringVar(&o.imageDriver, "image-driver", "", "docker or glance")
	f.BoolVarP(&o.interactive, "interactive", "i", false, "keep standard input open")
	f.BoolVar(&o.tty, "tty", false, "allocate a terminal")
	f.StringVar(&o.restart, "restart", "", "no, always, unless-stopped or on-failure[:N]")
	f.BoolVar(&o.autoRemove, "auto-remove", false, "delete it when it ends")
	f.BoolVar(&o.autoHeal, "auto-heal", false, "rebuild it if the engine loses it")
	f.StringArrayVar(&o.groups, "security-group", nil, "security group; repeatable")
	f.StringArrayVarP(&o.exposed, "expose-port", "p", nil, "port to open, PORT[/PROTO]; repeatable")
	f.StringArrayVar(&o.nets, "net", nil, "network=N or port=P, with v4-fixed-ip=A, v6-fixed-ip=A; repeatable")
	f.StringArrayVar(&o.mounts, "mount", nil, "source=S or size=N, with destination=PATH, type=volume|bind; repeatable")
	f.StringVar(&o.runtime, "runtime", "", "container runtime (admin)")
	f.StringVar(&o.zone, "availability-zone", "", "availability zone")
	f.StringVar(&o.host, "host", "", "host to run on (admin)")
	f.BoolVar(&o.privileged, "privileged", false, "give it extended rights")
	f.StringVar(&o.healthcheck, "healthcheck", "", "cmd=C,interval=T,retries=N,timeout=T")
	f.StringVar(&o.registry, "registry", "", "registry to pull from")
	f.StringVar(&o.entrypoint, "entrypoint", "", "entry point instead of the image's")
	f.BoolVar(&o.waitUntilReady, "wait", false, "show progress and return when it is ready")
	f.SetInterspersed(false) // what follows the image belongs to the container
	cmd.MarkFlagsMutuallyExclusive("restart", "auto-remove")
	cmd.MarkFlagsMutuallyExclusive("security-group", "expose-port")
}

// body turns the arguments into the request. Only what was given is sent, but for
// the members that clients of this API always send.
func (o *createOptions) body(f *pflag.FlagSet, version api.Version, args []string) (api.ContainerCreate, error) {
	b := api.ContainerCreate{Image: args[0], Hints: map[string]any{}}
	if words := grammar.Command(args); len(words) > 0 {
		b.Command = commandFor(version, words)
	}
	var err error
	if b.Environment, err = grammar.Pairs("--environment", o.environment); err != nil {
		return b, err
	}
	if b.Labels, err = grammar.Pairs("--label", o.labels); err != nil {
		return b, err
	}
	hints, err := grammar.Pairs("--hint", o.hints)
	if err != nil {
		return b, err
	}
	for key, value := range hints {
		b.Hints[key] = value
	}
	if b.Nets, err = grammar.Nets(o.nets); err != nil {
		return b, err
	}
	if b.Mounts, err = grammar.Mounts(o.mounts); err != nil {
		return b, err
	}
	if o.restart != "" {
		if b.RestartPolicy, err = grammar.Restart(o.restart); err != nil {
			return b, err
		}
	}
	if o.healthcheck != "" {
		if b.Healthcheck, err = grammar.Healthcheck(o.healthcheck); err != nil {
			return b, err
		}
	}
	if f.Changed("entrypoint") {
		if b.Entrypoint, err = api.SplitWords(o.entrypoint); err != nil {
			return b, fmt.Errorf("--entrypoint: %w", err)
		}
	}
	if len(o.exposed) > 0 {
		b.ExposedPorts = grammar.Exposed(o.exposed)
	}
	o.scalars(f, &b)
	return b, nil
}

// scalars sets the plain members that were given.
func (o *createOptions) scalars(f *pflag.FlagSet, b *api.ContainerCreate) {
	b.Name, b.Memory, b.Workdir, b.Hostname = o.name, o.memory, o.workdir, o.hostname
	b.ImagePullPolicy, b.ImageDriver, b.Runtime = o.pullPolicy, o.imageDriver, o.runtime
	b.AvailabilityZone, b.Host, b.Registry = o.zone, o.host, o.registry
	if f.Changed("cpu") {
		b.CPU = &o.cpu
	}
	if f.Changed("disk") {
		b.Disk = &o.disk
	}
	for flag, to := range map[string]struct {
		member **bool
		value  *bool
	}{
		"interactive": {&b.Interactive, &o.interactive}, "tty": {&b.TTY, &o.tty}, "auto-remove": {&b.AutoRemove, &o.autoRemove},
		"auto-heal": {&b.AutoHeal, &o.autoHeal}, "privileged": {&b.Privileged, &o.privileged},
	} {
		if f.Changed(flag) {
			*to.member = to.value
		}
	}
	if f.Changed("interactive") && !f.Changed("tty") {
		b.TTY = &o.interactive // a person at a terminal is what interactive is for
	}
	b.SecurityGroups = o.groups
}

// commandFor spells the command as the version wants it: one string below 1.20.
func commandFor(version api.Version, words []string) any {
	if version.Has(api.CommandList) {
		return words
	}
	return api.JoinWords(words)
}

func (c *command) createCommand(name, short string, run bool) *cobra.Command {
	var o createOptions
	cmd := &cobra.Command{Use: name + " IMAGE [COMMAND...]", Short: short, Args: cobra.MinimumNArgs(1)}
	o.flags(cmd)
	cmd.RunE = c.run(func(ctx context.Context, cl *client.Client, args []string) error {
		version, err := cl.Version(ctx)
		if err != nil {
			return err
		}
		body, err := o.body(cmd.Flags(), version, args)
		if err != nil {
			return err
		}
		container, err := cl.CreateContainer(ctx, body, run)
		if err != nil {
			return err
		}
		if run && o.interactive && c.onTerminal() {
			return c.follow(ctx, cl, container)
		}
		if !o.waitUntilReady {
			return c.showContainer(container)
		}
		ready, err := c.waitReady(ctx, cl, container.UUID, run)
		if err != nil {
			return err
		}
		return c.showContainer(ready)
	})
	return cmd
}
