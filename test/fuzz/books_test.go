//go:build integration

package fuzz

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// ask runs a query and returns every column as text. The database may be locked or
// gone for a while, so an error is the caller's to judge.
func ask(ctx context.Context, db *sql.DB, query string) ([][]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	var all [][]string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("%s: %w", query, err)
		}
		line := make([]string, len(columns))
		for i, v := range values {
			line[i] = v.String
		}
		all = append(all, line)
	}
	return all, rows.Err()
}

// law is a query that finds what must never be, also in the middle of a storm.
type law struct {
	says  string
	query string
}

func laws() []law {
	return []law{
		{"a project uses more than its limits allow", fmt.Sprintf(
			"SELECT project_id, containers, cpu, memory FROM quota_usages WHERE containers > %d OR cpu > %d OR memory > %d", containerLimit, cpuLimit*1000000, memoryLimit)},
		{"usage is negative", "SELECT project_id, containers, cpu, memory, disk FROM quota_usages WHERE containers < 0 OR cpu < 0 OR memory < 0 OR disk < 0"},
		{"a host's claims are negative", "SELECT hostname, total_containers, cpu_used, mem_used, disk_used FROM hosts WHERE total_containers < 0 OR cpu_used < 0 OR mem_used < 0 OR disk_used < 0"},
		{"a CPU is dedicated to two", "SELECT host_uuid, cpuset_cpus, count(*) FROM containers WHERE cpuset_cpus <> '' GROUP BY host_uuid, cpuset_cpus HAVING count(*) > 1"},
		{"a container has CPUs of a host that it is not on", "SELECT uuid, cpuset_cpus FROM containers WHERE cpuset_cpus <> '' AND host_uuid = ''"},
		{"a container has two ports on a network", "SELECT container_uuid, network_uuid FROM local_ports GROUP BY container_uuid, network_uuid HAVING count(*) > 1"},
		{"usage is not the sum over the containers", `SELECT p.project_id, q.containers, count(*), q.memory, sum(p.memory) FROM containers p
			JOIN quota_usages q ON q.project_id = p.project_id
			WHERE NOT EXISTS (SELECT 1 FROM actions a WHERE a.container_uuid = p.uuid AND a.state NOT IN ('done', 'failed', 'canceled'))
			GROUP BY p.project_id, q.containers, q.memory HAVING q.containers < count(*) OR q.memory < sum(p.memory)`},
	}
}

// books is what the rows say once nothing happens any more.
type books struct {
	containers map[string]row
	actions    map[string][]action // oldest first
	ports      map[string][]string // ids by container
	hosts      map[string]string   // uuid by name
}

type row struct {
	uuid, project, status, reason, host, engineID string
	generation                                    string
	everCreated, wantRunning, wantPaused, absent  bool
	restart, autoRemove, autoHeal, command        string
	nics, memory, cpu                             string
}

type action struct {
	id, verb, args, state, reason string
	events                        int
}

func truth(text string) bool { return text == "1" || text == "true" || text == "t" }

func (s *storm) books(ctx context.Context, db *sql.DB) (*books, error) {
	b := &books{containers: map[string]row{}, actions: map[string][]action{}, ports: map[string][]string{}, hosts: map[string]string{}}
	lines, err := ask(ctx, db, `SELECT uuid, project_id, status, status_reason, host, container_id, generation, ever_created, want_running, want_paused,
		want_absent, restart_policy, auto_remove, auto_heal, command, nics, memory, cpu FROM containers`)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		b.containers[l[0]] = row{
			uuid: l[0], project: l[1], status: l[2], reason: l[3], host: l[4], engineID: l[5], generation: l[6],
			everCreated: truth(l[7]), wantRunning: truth(l[8]), wantPaused: truth(l[9]), absent: truth(l[10]),
			restart: l[11], autoRemove: l[12], autoHeal: l[13], command: l[14], nics: l[15], memory: l[16], cpu: l[17],
		}
	}
	if lines, err = ask(ctx, db, `SELECT a.container_uuid, a.id, a.verb, a.args, a.state, a.reason,
		(SELECT count(*) FROM action_events e WHERE e.action_id = a.id) FROM actions a ORDER BY a.id`); err != nil {
		return nil, err
	}
	for _, l := range lines {
		events := 0
		_, _ = fmt.Sscan(l[6], &events)
		b.actions[l[0]] = append(b.actions[l[0]], action{id: l[1], verb: l[2], args: l[3], state: l[4], reason: l[5], events: events})
	}
	if lines, err = ask(ctx, db, "SELECT container_uuid, uuid FROM local_ports"); err != nil {
		return nil, err
	}
	for _, l := range lines {
		b.ports[l[0]] = append(b.ports[l[0]], l[1])
	}
	return b, nil
}

// restless says what still goes on; empty if nothing does.
func restless(ctx context.Context, db *sql.DB) (string, error) {
	for _, q := range []law{
		{"an action has not ended", "SELECT container_uuid, id, verb, state, reason, attempts, epoch, owner FROM actions WHERE state NOT IN ('done', 'failed', 'canceled')"},
		{"a status is passing", "SELECT uuid, status, status_reason FROM containers WHERE status NOT IN ('Created', 'Running', 'Stopped', 'Paused', 'Error')"},
		{"something is being done", "SELECT uuid, status, task_state FROM containers WHERE task_state <> ''"},
		{"a container waits for its removal", "SELECT uuid, status FROM containers WHERE auto_remove AND status IN ('Running', 'Stopped', 'Deleted')"},
		{"a port of nobody waits to be swept", "SELECT uuid, container_uuid FROM local_ports WHERE container_uuid NOT IN (SELECT uuid FROM containers)"},
		{"a container waits to be healed", "SELECT uuid, status FROM containers WHERE auto_heal AND status = 'Error' AND ever_created AND container_id = ''"},
		{"a host has not told that it is clean", "SELECT container_uuid, host_uuid FROM tombstones"},
	} {
		found, err := ask(ctx, db, q.query)
		if err != nil {
			return "", err
		}
		if len(found) > 0 {
			return fmt.Sprintf("%s: %s", q.says, strings.Join(found[0], " ")), nil
		}
	}
	return "", nil
}
