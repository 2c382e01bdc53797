package wire

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// FromFollowQuery puts q on the wire.
func FromFollowQuery(q domain.FollowQuery) *linkv1.FollowQuery {
	return &linkv1.FollowQuery{
		Stdout: q.Stdout, Stderr: q.Stderr, Tail: int64(q.Tail), Since: fromTime(q.Since), Cursor: q.Cursor, Restarts: q.Restarts,
	}
}

// ToFollowQuery reads m.
func ToFollowQuery(m *linkv1.FollowQuery) domain.FollowQuery {
	return domain.FollowQuery{
		Stdout: m.GetStdout(), Stderr: m.GetStderr(), Tail: int(m.GetTail()), Since: toTime(m.GetSince()),
		Cursor: m.GetCursor(), Restarts: m.GetRestarts(),
	}
}

// FromFollowRecord puts r on the wire.
func FromFollowRecord(r domain.FollowRecord) *linkv1.FollowRecord {
	return &linkv1.FollowRecord{
		Kind: string(r.Kind), Stream: uint32(r.Stream), At: fromTime(r.At), Data: r.Data,
		Cursor: r.Cursor, Reason: r.Reason, ExitCode: fromPointer[int, int64](r.ExitCode),
	}
}

// ToFollowRecord reads m.
func ToFollowRecord(m *linkv1.FollowRecord) domain.FollowRecord {
	return domain.FollowRecord{
		Kind: domain.FollowKind(m.GetKind()), Stream: domain.LogStream(m.GetStream()), At: toTime(m.GetAt()), Data: m.GetData(),
		Cursor: m.GetCursor(), Reason: m.GetReason(), ExitCode: fromPointer[int64, int](m.ExitCode),
	}
}

// FromFollowRecords puts a batch on the wire.
func FromFollowRecords(batch []domain.FollowRecord) *linkv1.FollowRecords {
	return &linkv1.FollowRecords{Records: each(batch, FromFollowRecord)}
}

// ToFollowRecords reads m.
func ToFollowRecords(m *linkv1.FollowRecords) []domain.FollowRecord {
	return each(m.GetRecords(), ToFollowRecord)
}
