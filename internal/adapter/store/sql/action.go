package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/adapter/store/sql/clause"
	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

type actions struct{ *tx }

func actionFields(a *domain.Action) []column.Field {
	return []column.Field{
		column.Number("id", &a.ID).As(column.Fixed),
		column.Text("container_uuid", &a.Container).As(column.Fixed),
		column.Text("verb", &a.Verb).As(column.Fixed),
		column.Document("args", &a.Args),
		column.Text("state", &a.State),
		column.Text("message", &a.Message),
		column.Text("reason", &a.Reason),
		column.Text("request_id", &a.RequestID).As(column.Fixed),
		column.Text("user_id", &a.UserID).As(column.Fixed),
		column.Text("project_id", &a.ProjectID).As(column.Fixed),
		column.Text("owner", &a.Owner),
		column.Number("epoch", &a.Epoch).As(column.Fixed), // Lease alone raises it
		column.Moment("lease_until", &a.LeaseUntil),
		column.Number("attempts", &a.Attempts),
		column.Moment("started_at", &a.StartedAt).As(column.Created),
		column.Moment("progress_at", &a.ProgressAt),
		column.Moment("deadline", &a.Deadline),
		column.Moment("retry_at", &a.RetryAt),
		column.Moment("finished_at", &a.FinishedAt),
	}
}

func actionNotFound(id int64) error {
	return notFound("resource-not-found", "The Action resource", strconv.FormatInt(id, 10))
}

func (s actions) Append(ctx context.Context, a domain.Action) (domain.Action, error) {
	fields := actionFields(&a)[1:] // the database gives the id
	column.Recast(fields, "progress_at", column.Created)
	query, args, err := column.Insertion("actions", fields)
	if err != nil {
		return domain.Action{}, err
	}
	stored := []any{&a.ID, column.Moment("started_at", &a.StartedAt)}
	if err := s.scalar(ctx, stored, query+" RETURNING id, started_at", args...); err != nil {
		return domain.Action{}, err
	}
	a.ProgressAt = a.StartedAt
	return a, nil
}

func (s actions) Get(ctx context.Context, id int64) (domain.Action, error) {
	return one(ctx, s.tx, actionNotFound(id), actionFields, "FROM actions WHERE id = ?"+s.locks, id)
}

// Queue keeps its rows until a Write ends: a lease taken between reading an action
// and writing it would make the write one of a lost lease.
func (s actions) Queue(ctx context.Context, id domain.ContainerID) ([]domain.Action, error) {
	return rows(ctx, s.tx, actionFields, "FROM actions WHERE container_uuid = ? AND finished_at = 0 ORDER BY id"+s.locks, string(id))
}

func (s actions) History(ctx context.Context, id domain.ContainerID) ([]domain.Action, error) {
	return rows(ctx, s.tx, actionFields, "FROM actions WHERE container_uuid = ? ORDER BY id DESC", string(id))
}

func (s actions) Update(ctx context.Context, a domain.Action) error {
	fields := actionFields(&a)
	if a.State.Finished() && a.FinishedAt.IsZero() {
		column.Recast(fields, "finished_at", column.Changed)
	}
	if a.ProgressAt.IsZero() {
		column.Recast(fields, "progress_at", column.Changed)
	}
	matched, err := s.update(ctx, "actions", fields, "id = ? AND epoch = ?", a.ID, a.Epoch)
	if err == nil && matched == 0 {
		err = domain.NewFault(domain.Conflict, "lease-lost", "Action %d was taken over by another worker.", a.ID)
	}
	return err
}

// head says of an action, called a, that no older one of its container is unfinished.
const head = `NOT EXISTS (SELECT 1 FROM actions older
	WHERE older.container_uuid = a.container_uuid AND older.finished_at = 0 AND older.id < a.id)`

func (s actions) Lease(ctx context.Context, claim control.LeaseClaim) ([]domain.Action, error) {
	if len(claim.States) == 0 {
		return nil, nil
	}
	where := clause.Where{}
	clause.Among(&where, "state", claim.States)
	if len(claim.Verbs) > 0 {
		clause.Among(&where, "verb", claim.Verbs)
	}
	where.Add("finished_at = 0 AND retry_at <= @now AND lease_until <= @now AND " + head)
	candidates, err := rows(ctx, s.tx, actionFields, "FROM actions a"+where.String()+" ORDER BY id LIMIT ?",
		append(where.Args, claim.Limit)...)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	if s.store.dialect.Returns {
		return s.claimAll(ctx, candidates, claim)
	}
	var won []int64
	for _, a := range candidates {
		mine, err := s.claim(ctx, a, claim)
		if err != nil {
			return nil, err
		}
		if mine {
			won = append(won, a.ID)
		}
	}
	if len(won) == 0 {
		return nil, nil
	}
	// The database's clock decided until when each is leased, so they are read once more.
	var ours clause.Where
	clause.Among(&ours, "id", won)
	return rows(ctx, s.tx, actionFields, "FROM actions"+ours.String()+" ORDER BY id", ours.Args...)
}

// leasing sets what a lease changes, and unleased says that an action is as it was read
// and still nobody's.
const (
	leasing  = "owner = ?, epoch = epoch + 1, lease_until = @now + ?"
	unleased = "id = ? AND epoch = ? AND state = ? AND lease_until <= @now"
)

// claim is the compare-and-set of one lease.
func (s actions) claim(ctx context.Context, a domain.Action, claim control.LeaseClaim) (bool, error) {
	matched, err := s.exec(ctx, "UPDATE actions SET "+leasing+" WHERE "+unleased,
		claim.Owner, claim.TTL.Microseconds(), a.ID, a.Epoch, string(a.State))
	return matched > 0, err
}

// claimAll is claim for all candidates in one statement, each compared for itself. Who
// claims keeps the rows in their order, so that no two wait for each other.
func (s actions) claimAll(ctx context.Context, candidates []domain.Action, claim control.LeaseClaim) ([]domain.Action, error) {
	each, args := make([]string, len(candidates)), []any{claim.Owner, claim.TTL.Microseconds()}
	for i, a := range candidates {
		each[i], args = "("+unleased+")", append(args, a.ID, a.Epoch, string(a.State))
	}
	won, err := changed(ctx, s.tx, actionFields, "actions SET "+leasing,
		"id IN (SELECT id FROM actions WHERE "+strings.Join(each, " OR ")+" ORDER BY id"+s.locks+") AND lease_until <= @now", args...)
	slices.SortFunc(won, func(a, b domain.Action) int { return cmp.Compare(a.ID, b.ID) })
	return won, err
}

// Overdue counts the silence of queue heads only: an action that waits for another
// is silent by nature, and its deadline bounds it all the same.
func (s actions) Overdue(ctx context.Context, silence time.Duration, limit int) ([]domain.Action, error) {
	unfinished := []domain.ActionState{domain.ActionQueued, domain.ActionPrepared, domain.ActionBegun, domain.ActionReleased}
	var where clause.Where
	clause.Among(&where, "state", unfinished)
	where.Add("((deadline > 0 AND deadline <= @now) OR (progress_at <= @now - ? AND "+strings.TrimSpace(head)+"))", silence.Microseconds())
	return rows(ctx, s.tx, actionFields, "FROM actions a"+where.String()+" ORDER BY id LIMIT ?", append(where.Args, limit)...)
}

func (s actions) Events() control.Events { return events(s) }
