package wire

import (
	"fmt"
	"io"
	"iter"
	"strconv"

	"github.com/go-zun/zun/api"
)

// Value is an answer that writes itself.
type Value interface {
	// WriteJSON writes the whole JSON text; an error is that of w.
	WriteJSON(w io.Writer) error
}

// Container is one container.
type Container struct{ Shown api.Container }

// usual is what a container takes on the wire, with room to spare.
const usual = 2 << 10

// WriteJSON implements Value.
func (c Container) WriteJSON(w io.Writer) error {
	return flush(w, append(appendContainer(make([]byte, 0, usual), &c.Shown), '\n'))
}

// ContainerPage is a page of a list, made while it is sent: a thousand rows are never
// held as text.
type ContainerPage struct {
	Rows iter.Seq[api.Container]
	Next *string // the address of the following page; nil: null
}

// portion is how much of a page is written at once.
const portion = 32 << 10

// WriteJSON implements Value.
func (p ContainerPage) WriteJSON(w io.Writer) error {
	b := append(make([]byte, 0, portion+2*usual), `{"containers":[`...)
	first := true
	for row := range p.Rows {
		if !first {
			b = append(b, ',')
		}
		first = false
		if b = appendContainer(b, &row); len(b) < portion {
			continue
		}
		if err := flush(w, b); err != nil {
			return err
		}
		b = b[:0]
	}
	o := object{b: append(b, ']'), begun: true}
	o.optional("next", p.Next)
	return flush(w, append(o.end(), '\n'))
}

func flush(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// appendContainer writes the members of c in their order.
func appendContainer(b []byte, c *api.Container) []byte {
	o := begin(b)
	o.text("uuid", c.UUID)
	if len(c.Links) > 0 {
		o.name("links")
		o.b = list(o.b, c.Links, appendLink)
	}
	o.text("name", c.Name)
	o.text("project_id", c.ProjectID)
	o.text("user_id", c.UserID)
	o.text("image", c.Image)
	o.decimal("cpu", c.CPU)
	o.text("cpu_policy", c.CPUPolicy)
	o.text("memory", c.Memory)
	o.texts("command", c.Command)
	o.text("status", c.Status)
	o.optional("status_reason", c.StatusReason)
	o.optional("task_state", c.TaskState)
	o.words("environment", c.Environment)
	o.optional("workdir", c.Workdir)
	o.flag("auto_remove", c.AutoRemove)
	o.name("ports")
	o.b = list(o.b, c.Ports, appendInt)
	o.optional("hostname", c.Hostname)
	o.words("labels", c.Labels)
	o.name("addresses")
	o.b = mapping(o.b, c.Addresses, appendAddresses)
	o.shown("image_pull_policy", c.ImagePullPolicy)
	o.shown("host", c.Host)
	o.policy("restart_policy", c.RestartPolicy)
	return o.rest(c)
}

// rest writes the second half of a container's members.
func (o *object) rest(c *api.Container) []byte {
	o.optional("status_detail", c.StatusDetail)
	o.flag("interactive", c.Interactive)
	o.flag("tty", c.TTY)
	o.optional("image_driver", c.ImageDriver)
	o.texts("security_groups", c.SecurityGroups)
	o.shown("runtime", c.Runtime)
	o.number("disk", c.Disk)
	o.flag("auto_heal", c.AutoHeal)
	if c.Privileged.Present && c.Privileged.Value == nil {
		o.null("privileged")
	} else if c.Privileged.Present {
		o.flag("privileged", *c.Privileged.Value)
	}
	o.check("healthcheck", c.Healthcheck)
	o.optional("registry_id", c.RegistryID)
	o.texts("entrypoint", c.Entrypoint)
	o.text("created_at", c.CreatedAt)
	o.optional("updated_at", c.UpdatedAt)
	return o.end()
}

// shown leaves the member out where the caller may not see it.
func (o *object) shown(name string, value api.Optional[string]) {
	if value.Present {
		o.optional(name, value.Value)
	}
}

func (o *object) policy(name string, p *api.RestartPolicy) {
	if p == nil {
		o.null(name)
		return
	}
	o.name(name)
	inner := begin(o.b)
	inner.filled("Name", p.Name)
	inner.filled("MaximumRetryCount", p.MaximumRetryCount)
	o.b = inner.end()
}

func (o *object) check(name string, h *api.Healthcheck) {
	if h == nil {
		o.null(name)
		return
	}
	o.name(name)
	inner := begin(o.b)
	inner.filled("test", h.Test)
	inner.counted("interval", h.Interval)
	inner.counted("retries", h.Retries)
	inner.counted("timeout", h.Timeout)
	o.b = inner.end()
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendLink(b []byte, l api.Link) []byte {
	o := begin(b)
	o.text("href", l.Href)
	o.text("rel", l.Rel)
	o.filled("type", l.Type)
	return o.end()
}

func appendAddresses(b []byte, all []api.Address) []byte { return list(b, all, appendAddress) }

func appendAddress(b []byte, a api.Address) []byte {
	o := begin(b)
	o.text("addr", a.Addr)
	o.number("version", int64(a.Version))
	o.text("port", a.Port)
	o.text("subnet_id", a.SubnetID)
	o.flag("preserve_on_delete", a.PreserveOnDelete)
	return o.end()
}
