package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/service"
	"github.com/go-zun/zun/internal/adapter/engine/fake"
	"github.com/go-zun/zun/internal/agent"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// measureAdoption fills the host while no agent runs, and starts the agent again and
// again. Each time control believes the containers stopped, so that it can be seen
// when it has been told of the last one.
func (h *host) measureAdoption(ctx context.Context) error {
	ids, engine, err := h.fill(ctx)
	if err != nil {
		return err
	}
	var took figure.Series
	var pss int
	for range h.rounds {
		if err := h.forget(ctx, ids); err != nil {
			return errors.Join(err, h.empty(ids, engine))
		}
		once, memory, err := h.adopt(ctx)
		if err != nil {
			return errors.Join(err, h.empty(ids, engine))
		}
		took, pss = append(took, once), memory
	}
	table := figure.Table{
		Title: fmt.Sprintf("An agent started again on %d containers (fake engine, %d restarts)", len(ids), h.rounds),
		Head:  []string{"figure", "measured", "target", "verdict"},
	}
	for _, q := range []struct {
		name  string
		share float64
	}{{"from its start until control knows of all, p50", 0.5}, {"the same, worst", 1}} {
		d := took.Quantile(q.share)
		table.Add(q.name, figure.Millis(d), "≤ "+figure.Millis(adoptTarget), figure.Met(d <= adoptTarget))
	}
	each := float64(pss-h.bare) / float64(len(ids))
	table.Add("PSS of the agent, containers idle", figure.MiB(pss), "", "")
	table.Add("of that, per container", fmt.Sprintf("%.1f KiB", each), fmt.Sprintf("≤ %.0f KiB", eachTarget), figure.Met(each <= eachTarget))
	table.Print(os.Stdout)
	return h.empty(ids, engine)
}

// adopt runs the agent until control knows of every container, and then until it rests.
func (h *host) adopt(ctx context.Context) (took time.Duration, pss int, err error) {
	begun := time.Now()
	up, err := service.Start(ctx, h.compute)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, up.Stop()) }()
	err = up.Await(ctx, "the adoption of all containers", time.Minute, func() (bool, error) {
		stopped := string(domain.Stopped)
		left := 1
		err := h.db.Store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
			query := control.ContainerQuery{Scope: control.Everything(), Filters: control.ContainerFilters{Status: &stopped}, Page: control.Page{Limit: 1}}
			rows, err := tx.Containers().List(ctx, query)
			left = len(rows)
			return err
		})
		return left == 0, err
	})
	if err != nil {
		return 0, 0, err
	}
	took = time.Since(begun)
	if err := rest(ctx, settled); err != nil {
		return 0, 0, err
	}
	_, pss, err = up.Memory()
	return took, pss, err
}

// fill puts running containers onto the host and into the database.
func (h *host) fill(ctx context.Context) ([]domain.ContainerID, *fake.Engine, error) {
	var where domain.Host
	var deployment string
	err := h.db.Store.Read(ctx, func(ctx context.Context, tx control.Tx) error {
		hosts, err := tx.Hosts().List(ctx, control.Page{})
		if err != nil {
			return err
		}
		where = hosts[0]
		authority, err := tx.Trust().Authority(ctx)
		deployment = authority.DeploymentID
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("look at the deployment: %w", err)
	}
	engine, err := fake.New(fake.Options{Dir: filepath.Join(h.compute.Dir, "agent", "fake-"+deployment), Namespaces: true})
	if err != nil {
		return nil, nil, err
	}
	sample := database.Sample{ProjectID: uuid.NewString(), UserID: uuid.NewString(), Host: where, Change: func(_ int, c *domain.Container) {
		c.Spec.Image, c.Spec.Command = "cirros", []string{"sleep", "1000000"}
	}}
	ids, err := h.db.AddContainers(ctx, h.containers, sample)
	if err != nil {
		return nil, nil, err
	}
	for _, id := range ids {
		if err := start(ctx, engine, id); err != nil {
			return nil, nil, errors.Join(err, h.empty(ids, engine))
		}
	}
	return ids, engine, nil
}

func start(ctx context.Context, engine *fake.Engine, id domain.ContainerID) error {
	sandbox, err := engine.Sandboxes().Ensure(ctx, agent.SandboxSpec{Container: id})
	if err != nil {
		return err
	}
	member, err := engine.Members().Create(ctx, agent.MemberSpec{
		Container: id, Generation: 1, Sandbox: sandbox, Spec: domain.Spec{Image: "cirros", Command: []string{"sleep", "1000000"}},
	})
	if err != nil {
		return err
	}
	return engine.Members().Start(ctx, member)
}

// forget makes control believe that the containers stopped, and shows them to the host anew.
func (h *host) forget(ctx context.Context, ids []domain.ContainerID) error {
	return h.db.Store.Write(ctx, func(ctx context.Context, tx control.Tx) error {
		for _, id := range ids {
			row, err := tx.Containers().Get(ctx, control.Everything(), id)
			if err != nil {
				return err
			}
			row.Status = domain.Stopped
			if _, err := tx.Containers().Assign(ctx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

// empty takes the containers off the host.
func (h *host) empty(ids []domain.ContainerID, engine *fake.Engine) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, id := range ids {
		errs = append(errs, engine.Sandboxes().Remove(ctx, id))
	}
	return errors.Join(errs...)
}
