//go:build integration

package fuzz

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/domain"
)

// emptyTar is an archive without a file.
func emptyTar() string { return base64.StdEncoding.EncodeToString(make([]byte, 1024)) }

// do carries an op out: on the container of its slot, which it creates if the slot is
// empty.
func (w *worker) do(ctx context.Context, o op) {
	seat := &w.storm.seats[o.project()][o.slot]
	uuid := seat.occupant()
	switch {
	case o.kind == "quota":
		w.changeQuota(ctx, o)
	case o.kind == "list":
		_, err := w.cli.Containers(ctx, client.ListOptions{})
		w.storm.journal.answered(o, "", "", err)
	case uuid == "" || o.kind == "create":
		o.kind = "create"
		w.create(ctx, o, seat)
	default:
		w.act(ctx, o, seat, uuid)
	}
}

// order is a container as the dice make it.
func order(o op) api.ContainerCreate {
	d := o.dice
	yes := true
	c := api.ContainerCreate{
		Name: fmt.Sprintf("fuzz-%d", o.number), Image: "cirros", Command: []string{"sleep", "100000"},
		Memory: pick(d/2, "64", "128", "256"),
	}
	cpu := pick(d/8, 0.1, 0.25, 0.5)
	c.CPU = &cpu
	if o.choosy && d/81920%5 == 0 {
		cpu, c.CPUPolicy = 1, domain.CPUDedicated
	}
	if d/32%4 == 0 {
		c.RestartPolicy = &api.RestartPolicy{Name: "always"}
	}
	if d/128%6 == 0 && c.RestartPolicy == nil {
		c.Command, c.AutoRemove = []string{"sleep", "2"}, &yes
	}
	if d/1024%3 == 0 {
		c.AutoHeal = &yes
	}
	switch d / 4096 % 20 {
	case 0:
		c.Image = "missing/nothing"
	case 1:
		c.Command = []string{"no-such-command"}
	}
	return c
}

// create fills the seat if the service takes the order. Where the answer is lost, the
// name tells whether it did.
func (w *worker) create(ctx context.Context, o op, seat *seat) {
	seat.filling.Lock()
	defer seat.filling.Unlock()
	if seat.occupant() != "" {
		return
	}
	body := order(o)
	c, err := w.cli.CreateContainer(ctx, body, o.dice/65536%8 != 0)
	v := w.storm.journal.answered(o, c.UUID, body.Name, err)
	if v == refused {
		pause(ctx, 300*time.Millisecond) // the quota is full until what is being deleted is gone
	}
	if v == unsure {
		c.UUID = w.lookUp(ctx, body.Name)
		w.storm.journal.note("op %d is %q", o.number, c.UUID)
	}
	if c.UUID != "" {
		seat.take(c.UUID)
	}
}

// lookUp finds a container by its name; empty if the service does not know it, or
// does not say so in time. Such a one is dealt with when the storm is over.
func (w *worker) lookUp(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		known, err := w.cli.Containers(ctx, client.ListOptions{Filters: url.Values{"name": {name}}})
		if err == nil && len(known) == 0 {
			return ""
		}
		if err == nil {
			return known[0].UUID
		}
		if !pause(ctx, 200*time.Millisecond) {
			return ""
		}
	}
}

// act does one of the verbs on a container that is or was there.
func (w *worker) act(ctx context.Context, o op, seat *seat, uuid string) {
	detail, err := w.verb(ctx, o, uuid)
	if notSent(err) {
		return
	}
	v := w.storm.journal.answered(o, uuid, detail, err)
	switch o.kind {
	case "delete", "delete-stop", "delete-force":
		if v != refused {
			seat.leave(uuid)
		}
	}
	if v == refused && isNotFound(err) {
		seat.leave(uuid) // it removed itself, or another client deleted it
	}
}

func (w *worker) verb(ctx context.Context, o op, uuid string) (detail string, err error) {
	d := o.dice
	grace := url.Values{"timeout": {pick(d, "1", "2")}}
	switch o.kind {
	case "start", "pause", "unpause":
		return "", w.cli.Act(ctx, uuid, string(o.kind), nil)
	case "stop", "reboot":
		return "", w.cli.Act(ctx, uuid, string(o.kind), grace)
	case "kill":
		signal := pick(d, "SIGKILL", "SIGTERM", "SIGUSR1", "SIGHUP")
		return signal, w.cli.Act(ctx, uuid, "kill", url.Values{"signal": {signal}})
	case "rebuild":
		image := pick(d, "cirros", "cirros", "busybox", "missing/nothing")
		return image, w.cli.Act(ctx, uuid, "rebuild", url.Values{"image": {image}})
	case "rename":
		name := fmt.Sprintf("renamed-%d", o.number)
		return name, w.cli.Rename(ctx, uuid, name)
	case "update", "resize":
		return w.resize(ctx, o, uuid)
	case "attach":
		return "", w.cli.Act(ctx, uuid, "network_attach", url.Values{"network": {pick(d, "second", "third")}})
	case "detach":
		return "", w.cli.Act(ctx, uuid, "network_detach", url.Values{"network": {pick(d, "second", "third")}})
	case "group":
		return "", w.old.Act(ctx, uuid, "add_security_group", url.Values{"name": {"web"}})
	case "ungroup":
		return "", w.old.Act(ctx, uuid, "remove_security_group", url.Values{"name": {"web"}})
	case "delete":
		return "", w.cli.DeleteContainer(ctx, uuid, client.DeleteOptions{})
	case "delete-stop":
		return "", w.cli.DeleteContainer(ctx, uuid, client.DeleteOptions{Stop: true})
	case "delete-force":
		return "", w.storm.admin.DeleteContainer(ctx, uuid, client.DeleteOptions{Force: true, AllProjects: true})
	case "put":
		if d/64%2 == 0 {
			tag := fmt.Sprintf("t%d", o.number)
			return "commit " + tag, w.cli.Act(ctx, uuid, "commit", url.Values{"repository": {"fuzz"}, "tag": {tag}})
		}
		_, err = w.cli.Raw(ctx, "POST", "/containers/"+uuid+"/put_archive", url.Values{"path": {"/tmp"}}, map[string]string{"data": emptyTar()})
		return "", err
	default:
		return "", w.look(ctx, o, uuid)
	}
}

func (w *worker) resize(ctx context.Context, o op, uuid string) (string, error) {
	memory, cpu := pick(o.dice, "64", "128", "192", "256", "512"), pick(o.dice/8, 0.1, 0.2, 0.5, 1)
	detail := fmt.Sprintf("memory %s cpu %g", memory, cpu)
	change := api.ContainerUpdate{Memory: &memory, CPU: &cpu}
	if o.kind == "resize" {
		q := url.Values{"memory": {memory}, "cpu": {strconv.FormatFloat(cpu, 'g', -1, 64)}}
		return detail, w.cli.Act(ctx, uuid, "resize_container", q)
	}
	_, err := w.cli.UpdateContainer(ctx, uuid, change)
	return detail, err
}

// look does what changes nothing, or nothing that a model could see.
func (w *worker) look(ctx context.Context, o op, uuid string) (err error) {
	switch o.kind {
	case "show":
		_, err = w.cli.Container(ctx, uuid, false)
	case "execute":
		_, err = w.cli.Execute(ctx, uuid, "echo hello")
	case "logs":
		_, err = w.cli.Logs(ctx, uuid, nil)
	case "top":
		_, err = w.cli.Top(ctx, uuid, "")
	case "stats":
		_, err = w.cli.Stats(ctx, uuid)
	case "records":
		_, err = w.cli.Actions(ctx, uuid)
	case "get":
		_, err = w.cli.Raw(ctx, "GET", "/containers/"+uuid+"/get_archive", url.Values{"path": {"/tmp"}}, nil)
	default:
		err = fmt.Errorf("nobody knows how to %s", o.kind)
	}
	return err
}

// changeQuota moves the limit of the last project up and down; that of the others
// stays, so that they can be held to it at any time.
func (w *worker) changeQuota(ctx context.Context, o op) {
	limit := pick(o.dice, int64(lowLimit), int64(containerLimit))
	_, err := w.storm.admin.UpdateQuota(ctx, projectID(projects-1), api.QuotaUpdate{Containers: &limit})
	w.storm.journal.answered(o, "", strconv.FormatInt(limit, 10), err)
}
