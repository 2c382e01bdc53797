package rest

import (
	"strings"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/draft"
)

// queueing makes the handler of a verb that is queued and answered with null.
func queueing(verb domain.Verb, read func(*call) (domain.ActionArgs, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		args, err := read(c)
		if err != nil {
			return nil, err
		}
		_, err = c.Containers.Act(c.ctx(), c.actor, c.ref, verb, args)
		return nil, err
	}
}

// rewiring makes the handler of a verb that changes what a container is joined to.
func rewiring(verb domain.Verb, read func(*call) (domain.ActionArgs, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		args, err := read(c)
		if err != nil {
			return nil, err
		}
		_, err = c.Wiring.Rewire(c.ctx(), c.actor, c.ref, verb, args)
		return nil, err
	}
}

func resizeContainer(c *call) (any, error) {
	change := draft.Change(c.args)
	args := domain.ActionArgs{CPU: change.CPU, MemoryMB: change.MemoryMB, Name: change.Name, AutoHeal: change.AutoHeal}
	if _, err := c.Containers.Act(c.ctx(), c.actor, c.ref, domain.VerbResizeContainer, args); err != nil {
		return nil, err
	}
	return c.shown(c.container), nil
}

func noArgs(*call) (domain.ActionArgs, error) { return domain.ActionArgs{}, nil }

func timeoutArgs(c *call) (domain.ActionArgs, error) {
	seconds, given := c.args.Whole("timeout")
	if !given {
		return domain.ActionArgs{}, nil
	}
	timeout := int(seconds)
	return domain.ActionArgs{TimeoutSeconds: &timeout}, nil
}

func killArgs(c *call) (domain.ActionArgs, error) {
	return domain.ActionArgs{Signal: signal(c.args.Text("signal"))}, nil
}

// signal writes every spelling as "SIGTERM" or a number. The word None is what a
// widely used client sends when it means no signal.
func signal(asked string) string {
	switch {
	case asked == "", asked == "None", asked[0] >= '0' && asked[0] <= '9':
		return strings.TrimSuffix(asked, "None")
	default:
		return "SIG" + strings.TrimPrefix(strings.ToUpper(asked), "SIG")
	}
}

func rebuildArgs(c *call) (domain.ActionArgs, error) {
	driver := c.args.Text("image_driver")
	if driver == "None" {
		driver = ""
	}
	if driver != "" && !c.knowsImageDriver(driver) {
		return domain.ActionArgs{}, domain.NewFault(domain.Invalid, "invalid-value",
			"Invalid input for image_driver, it should be within the image drivers list")
	}
	run := c.container.Status == domain.Running
	return domain.ActionArgs{Image: c.args.Text("image"), ImageDriver: driver, Run: run}, nil
}

func (c *call) knowsImageDriver(driver string) bool {
	for _, d := range c.Options.Schema.ImageDrivers {
		if d == driver {
			return true
		}
	}
	return false
}

func groupArgs(c *call) (domain.ActionArgs, error) {
	return domain.ActionArgs{Group: c.args.Text("name")}, nil
}

func networkArgs(c *call) (domain.ActionArgs, error) {
	net := domain.NetRequest{Network: c.args.Text("network"), Port: c.args.Text("port")}
	if ip := c.args.Text("fixed_ip"); strings.Contains(ip, ":") {
		net.FixedV6 = ip
	} else {
		net.FixedV4 = ip
	}
	return domain.ActionArgs{Net: net}, nil
}
