package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/bench/database"
	"github.com/go-zun/zun/bench/figure"
	"github.com/go-zun/zun/bench/service"
	"github.com/go-zun/zun/internal/domain"
)

// trial asks one zun-api over one database.
type trial struct {
	settings
	api     *service.Service
	db      *database.Database
	sample  database.Sample
	address string
	token   string
	ids     []domain.ContainerID
	created int // rows that are not in ids
	// first is what the process held with the fewest rows.
	first struct{ rows, pss int }
}

func newTrial(ctx context.Context, s settings, up *service.Service, db *database.Database, host domain.Host) (*trial, error) {
	where, err := url.Parse(up.URL)
	if err != nil {
		return nil, fmt.Errorf("read the URL of the service: %w", err)
	}
	client, token, err := up.Login(ctx)
	if err != nil {
		return nil, err
	}
	// The first row is made through the API: it tells whose the others must be.
	made, err := client.CreateContainer(ctx, api.ContainerCreate{Image: "cirros"}, false)
	if err != nil {
		return nil, fmt.Errorf("create the first container: %w", err)
	}
	return &trial{
		settings: s, api: up, db: db, address: where.Host, token: token,
		sample: database.Sample{ProjectID: made.ProjectID, UserID: made.UserID, Host: host},
		ids:    []domain.ContainerID{domain.ContainerID(made.UUID)},
	}, nil
}

// at measures with rows containers. Creates come last, because they add rows.
func (t *trial) at(ctx context.Context, rows int, report *report) error {
	more, err := t.db.AddContainers(ctx, max(0, rows-len(t.ids)), t.sample)
	if err != nil {
		return err
	}
	t.ids = append(t.ids, more...)
	if err := t.calm(ctx); err != nil {
		return err
	}
	get := request{status: http.StatusOK, text: func(n int) string {
		// A large prime step visits the rows in no order that a cache would like.
		return t.text("GET", "/v1/containers/"+string(t.ids[n*7919%len(t.ids)]), "")
	}}
	list := request{status: http.StatusOK, text: func(int) string { return t.text("GET", "/v1/containers/?limit=1000", "") }}
	create := request{status: http.StatusAccepted, most: 20_000, text: func(int) string {
		return t.text("POST", "/v1/containers/?run=true", `{"image":"cirros","command":["sleep","600"]}`)
	}}
	if err := t.ask(ctx, report, "GET one", rows, get, func(per float64, p99 time.Duration) (string, bool) {
		return fmt.Sprintf("≥ %d/s, p99 ≤ %s", getTarget, figure.Millis(getTarget99)), per >= getTarget && p99 <= getTarget99
	}); err != nil {
		return err
	}
	if err := t.ask(ctx, report, "list of "+strconv.Itoa(min(rows, 1000)), rows, list, func(_ float64, p99 time.Duration) (string, bool) {
		return "p99 ≤ " + figure.Millis(listTarget99), p99 <= listTarget99
	}); err != nil {
		return err
	}
	if err := t.ask(ctx, report, "create", rows, create, func(per float64, _ time.Duration) (string, bool) {
		return fmt.Sprintf("≥ %d/s", createTarget), per >= createTarget
	}); err != nil {
		return err
	}
	return t.weigh(ctx, report)
}

func (t *trial) text(method, path, body string) string {
	text := method + " " + path + " HTTP/1.1\r\nHost: " + t.address + "\r\nX-Auth-Token: " + t.token +
		"\r\nOpenStack-API-Version: container 1.40\r\nAccept: application/json\r\n"
	if body == "" {
		return text + "\r\n"
	}
	return fmt.Sprintf("%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", text, len(body), body)
}

func (t *trial) ask(ctx context.Context, report *report, name string, rows int, q request, judge func(perSecond float64, p99 time.Duration) (target string, met bool)) error {
	clients := t.clients
	if name != "GET one" && name != "create" {
		clients = 2 // a page of a thousand is asked by few at a time
	}
	warm, err := repeat(ctx, t.address, clients, t.span/10, q) // connections and caches are warm then
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	before, err := t.api.CPU()
	if err != nil {
		return err
	}
	r, err := repeat(ctx, t.address, clients, t.span, q)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	after, err := t.api.CPU()
	if err != nil {
		return err
	}
	n := len(r.took)
	if q.status == http.StatusAccepted {
		t.created += len(warm.took) + n
	}
	p99 := r.took.Quantile(0.99)
	target, met := judge(figure.PerSecond(n, r.spent), p99)
	report.requests.Add(name, strconv.Itoa(rows), figure.Rate(n, r.spent), figure.Millis(r.took.Quantile(0.5)), figure.Millis(p99),
		figure.Millis((after-before)/time.Duration(max(n, 1))), strconv.Itoa(n), target, figure.Met(met))
	return nil
}

// weigh tells the memory of the process at rest, after every kind of request. What a row
// costs is the growth since the smallest table, when all code had run, too.
func (t *trial) weigh(ctx context.Context, report *report) error {
	if err := t.calm(ctx); err != nil {
		return err
	}
	rows := len(t.ids) + t.created
	rss, pss, err := t.rest(ctx)
	if err != nil {
		return err
	}
	cells := []string{figure.MiB(rss), figure.MiB(pss)}
	if t.first.rows == 0 {
		t.first.rows, t.first.pss = rows, pss
		report.memory.Add(strconv.Itoa(rows), append(cells, "", "", "")...)
		return nil
	}
	per := float64(pss-t.first.pss) / float64(rows-t.first.rows)
	report.memory.Add(strconv.Itoa(rows), append(cells, fmt.Sprintf("%.1f KiB", per), fmt.Sprintf("≤ %.0f KiB", memoryTarget), figure.Met(per <= memoryTarget))...)
	return nil
}

// calm waits until the process has done what the creates of the size before left to its
// loops, which would be counted for the requests that follow.
func (t *trial) calm(ctx context.Context) error {
	const (
		bound = 45 * time.Second
		idle  = 100 * time.Millisecond // of processor time in a second
	)
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before, err := t.api.CPU()
	for err == nil {
		select {
		case <-ctx.Done():
			return nil // the figures are worse for it
		case <-tick.C:
		}
		var now time.Duration
		if now, err = t.api.CPU(); now-before < idle {
			return err
		}
		before = now
	}
	return err
}

// How long the process may take to come to rest, and how long its memory must not change
// then: a process at rest gives back what the work before left.
const (
	restBound  = 20 * time.Second
	restSteady = 7 * time.Second
	restSlack  = 512 // KiB
)

// rest waits until the memory of the process does not change any more, and returns it.
func (t *trial) rest(ctx context.Context) (rss, pss int, err error) {
	ctx, cancel := context.WithTimeout(ctx, restBound)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last, since := 0, time.Now()
	for {
		if rss, pss, err = t.api.Memory(); err != nil {
			return rss, pss, err
		}
		if pss > last+restSlack || pss < last-restSlack {
			last, since = pss, time.Now()
		}
		if time.Since(since) > restSteady {
			return rss, pss, nil
		}
		select {
		case <-ctx.Done():
			return rss, pss, nil // its loops still work on the creates; the figure is an upper bound
		case <-tick.C:
		}
	}
}
