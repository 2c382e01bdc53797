package sqlstore

import (
	"context"
	"maps"
	"slices"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/domain"
)

// ledger is what is kept of the claims of some owners, beside what their rows add up to.
type ledger struct {
	kept []usage
	sums map[string]domain.Claim
	// busy are the owners of a container that is being resized: its growth is counted,
	// and not yet in the container's row.
	busy map[string]bool
	// write sets what is kept of one owner.
	write func(ctx context.Context, u usage) error
}

// wrong returns what should be kept of those owners of whom something else is kept.
func (l ledger) wrong() []usage {
	var found []usage
	sums := maps.Clone(l.sums)
	for _, u := range l.kept {
		sum := sums[u.projectID]
		delete(sums, u.projectID)
		if sum != u.Claim && !l.busy[u.projectID] {
			found = append(found, usage{u.projectID, sum})
		}
	}
	for _, owner := range slices.Sorted(maps.Keys(sums)) { // of whom nothing is kept
		found = append(found, usage{owner, sums[owner]})
	}
	return found
}

// ledgers reads what is kept first, and keeps those rows until the transaction ends if
// locks says so: a container being created beside it is then either in both figures or
// in none. Resizes are asked for before the sums: one that ends between the two only
// leaves its owner for the next round.
func (s quotas) ledgers(ctx context.Context, locks string) ([]ledger, error) {
	projects, err := s.projects(ctx, locks)
	if err != nil {
		return nil, err
	}
	hosts, err := hosts(s).ledger(ctx, locks)
	return []ledger{projects, hosts}, err
}

// Astray only reads, so that to look often is cheap and holds nobody up.
func (s quotas) Astray(ctx context.Context) (bool, error) {
	all, err := s.ledgers(ctx, "")
	return slices.ContainsFunc(all, func(l ledger) bool { return len(l.wrong()) > 0 }), err
}

func (s quotas) Repair(ctx context.Context) (repaired int, err error) {
	all, err := s.ledgers(ctx, s.locks)
	if err != nil {
		return 0, err
	}
	for _, l := range all {
		for _, u := range l.wrong() {
			if err := l.write(ctx, u); err != nil {
				return 0, err
			}
			repaired++
		}
	}
	return repaired, nil
}

// projects is the ledger of the projects: of containers and of the members of capsules,
// but neither of capsules, which hold nothing themselves, nor of their init containers.
func (s quotas) projects(ctx context.Context, locks string) (l ledger, err error) {
	l.write = func(ctx context.Context, u usage) error {
		matched, err := s.update(ctx, "quota_usages", usageFields(&u), "project_id = ?", u.projectID)
		if err == nil && matched == 0 {
			err = s.again(s.insert(ctx, "quota_usages", usageFields(&u)))
		}
		return err
	}
	if l.kept, err = rows(ctx, s.tx, usageFields, "FROM quota_usages ORDER BY project_id"+locks); err != nil {
		return l, err
	}
	if l.busy, err = s.resizing(ctx, "project_id"); err != nil {
		return l, err
	}
	var counts clause.Where
	clause.Among(&counts, "container_type", []domain.ContainerKind{domain.KindContainer, domain.KindMember})
	l.sums, err = s.sums(ctx, "project_id", counts)
	return l, err
}

// holding is what one host keeps of the claims on it.
type holding struct {
	hostID string
	domain.Claim
}

func holdingFields(h *holding) []column.Field {
	return append([]column.Field{column.Text("uuid", &h.hostID).As(column.Fixed)}, usedFields(&h.Claim)...)
}

// ledger is that of the hosts. Every row that names a host has a claim on it, and so
// has a removed one until its host reports clean.
func (s hosts) ledger(ctx context.Context, locks string) (l ledger, err error) {
	l.write = func(ctx context.Context, u usage) error {
		h := holding{u.projectID, u.Claim}
		_, err := s.update(ctx, "hosts", holdingFields(&h), "uuid = ?", h.hostID)
		return err
	}
	all, err := rows(ctx, s.tx, holdingFields, "FROM hosts ORDER BY uuid"+locks)
	if err != nil {
		return l, err
	}
	known := map[string]bool{}
	for _, h := range all {
		l.kept = append(l.kept, usage{h.hostID, h.Claim})
		known[h.hostID] = true
	}
	if l.busy, err = quotas(s).resizing(ctx, "host_uuid"); err != nil {
		return l, err
	}
	var placed clause.Where
	placed.Add("host_uuid <> ''")
	if l.sums, err = quotas(s).sums(ctx, "host_uuid", placed); err != nil {
		return l, err
	}
	graves, err := rows(ctx, s.tx, tombstoneFields, "FROM tombstones")
	for _, grave := range graves {
		host := grave.container.HostID
		l.sums[host] = l.sums[host].Plus(domain.ClaimOf(grave.container.Spec))
	}
	maps.DeleteFunc(l.sums, func(host string, _ domain.Claim) bool { return !known[host] }) // it left the fleet
	return l, err
}

// resizing returns the owners, by that column, of containers with an update under way.
func (s quotas) resizing(ctx context.Context, owner string) (map[string]bool, error) {
	busy := map[string]bool{}
	found, err := s.query(ctx, "SELECT "+owner+` FROM containers
		WHERE uuid IN (SELECT container_uuid FROM actions WHERE finished_at = 0 AND verb = ?)`, string(domain.VerbUpdate))
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err below reports what went wrong
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			return nil, s.fault(err)
		}
		busy[name] = true
	}
	return busy, s.fault(found.Err())
}

// sums adds up, by the column owner, what the rows claim for which where holds.
func (s quotas) sums(ctx context.Context, owner string, where clause.Where) (map[string]domain.Claim, error) {
	found, err := rows(ctx, s.tx, usageFields, `FROM (SELECT `+owner+` AS project_id, COUNT(*) AS containers,
		CAST(SUM(ROUND(cpu * 1000000)) AS @integer) AS cpu,
		CAST(SUM(memory) AS @integer) AS memory,
		CAST(SUM(disk + volume_gb) AS @integer) AS disk
		FROM containers`+where.String()+` GROUP BY `+owner+`) sums`, where.Args...)
	if err != nil {
		return nil, err
	}
	sums := make(map[string]domain.Claim, len(found))
	for _, u := range found {
		sums[u.projectID] = u.Claim
	}
	return sums, nil
}
