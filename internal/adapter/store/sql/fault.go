package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/go-zun/zun/internal/domain"
)

// trouble is what a driver's error means to us.
type trouble uint8

const (
	unexplained trouble = iota
	duplicate           // a unique key exists already
	referred            // a row is referred to, or refers to none
	raced               // a deadlock, a serialisation failure or a lock held too long
	unreachable         // the database does not answer or cannot store
	misfit              // a value is too long or holds a character that cannot be stored
)

// fault translates err and remembers what the transaction cannot go on after.
func (t *tx) fault(err error) error {
	if err == nil {
		return nil
	}
	translated := t.store.dialect.fault(err)
	meaning := t.store.dialect.meaning(err)
	if meaning == raced && t.raced == nil {
		t.raced = translated
	}
	if t.rides && t.lost == nil && (meaning == raced || meaning == unreachable) {
		t.lost = translated
	}
	return translated
}

// fault turns a driver's error into the fault that it means. What has no meaning
// here is returned as it is and so becomes Internal; nil stays nil.
func (d dialect) fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return domain.WrapFault(err, domain.Timeout, "database-timeout", "The database did not answer in time.")
	case errors.Is(err, context.Canceled):
		return domain.WrapFault(err, domain.Unavailable, "request-canceled", "The request was canceled.")
	}
	switch d.meaning(err) {
	case duplicate:
		return domain.WrapFault(err, domain.Conflict, "conflict", "A resource with the same key already exists.")
	case referred:
		return domain.WrapFault(err, domain.Conflict, "conflict", "The resource is in use or refers to one that does not exist.")
	case raced:
		return domain.WrapFault(err, domain.Unavailable, "database-busy", "The database is busy, please try again.")
	case unreachable:
		return databaseUnavailable(err)
	case misfit:
		return domain.WrapFault(err, domain.Invalid, "invalid-value", "A value is too long or holds a character that cannot be stored.")
	default:
		return err
	}
}

// unserved makes an unexplained failure to reach the database, or to begin or commit
// a transaction, an Unavailable fault: it cannot be the fault of a statement.
func (d dialect) unserved(err error) error {
	var known *domain.Fault
	if err == nil || errors.As(err, &known) {
		return err
	}
	return databaseUnavailable(err)
}

func databaseUnavailable(cause error) error {
	return domain.WrapFault(cause, domain.Unavailable, "database-unavailable", "The database is not available, please try again.")
}

// meaning asks the dialect, and knows the signs that all drivers share.
func (d dialect) meaning(err error) trouble {
	var network net.Error
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return unreachable
	default:
		return d.explain(err)
	}
}

// meant says whether the database refused with this meaning.
func (t *tx) meant(err error, meaning trouble) bool {
	return err != nil && t.store.dialect.meaning(err) == meaning
}

// again marks a duplicate key as lost race: another transaction inserted what this
// one had looked for in vain, and will find when it runs again.
func (t *tx) again(err error) error {
	if t.raced == nil && t.meant(err, duplicate) {
		t.raced = err
	}
	return err
}

func notFound(code, what, ident string) error {
	return domain.NewFault(domain.NotFound, code, "%s %s could not be found.", what, ident)
}
