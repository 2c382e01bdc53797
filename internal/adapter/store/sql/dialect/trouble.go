package dialect

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/go-zun/zun/internal/domain"
)

// Trouble is what a driver's error means to us.
type Trouble uint8

// The troubles that are told apart.
const (
	Unexplained Trouble = iota
	Duplicate           // a unique key exists already
	Referred            // a row is referred to, or refers to none
	Raced               // a deadlock, a serialisation failure or a lock held too long
	Unreachable         // the database does not answer or cannot store
	Misfit              // a value is too long or holds a character that cannot be stored
)

// Fault turns a driver's error into the fault that it means. What has no meaning
// here is returned as it is and so becomes Internal; nil stays nil.
func (d Dialect) Fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return domain.WrapFault(err, domain.Timeout, "database-timeout", "The database did not answer in time.")
	case errors.Is(err, context.Canceled):
		return domain.WrapFault(err, domain.Unavailable, "request-canceled", "The request was canceled.")
	}
	switch d.Meaning(err) {
	case Duplicate:
		return domain.WrapFault(err, domain.Conflict, "conflict", "A resource with the same key already exists.")
	case Referred:
		return domain.WrapFault(err, domain.Conflict, "conflict", "The resource is in use or refers to one that does not exist.")
	case Raced:
		return domain.WrapFault(err, domain.Unavailable, "database-busy", "The database is busy, please try again.")
	case Unreachable:
		return Unavailable(err)
	case Misfit:
		return domain.WrapFault(err, domain.Invalid, "invalid-value", "A value is too long or holds a character that cannot be stored.")
	default:
		return err
	}
}

// Unserved makes an unexplained failure to reach the database, or to begin or commit
// a transaction, an Unavailable fault: it cannot be the fault of a statement.
func (d Dialect) Unserved(err error) error {
	var known *domain.Fault
	if err == nil || errors.As(err, &known) {
		return err
	}
	return Unavailable(err)
}

// Unavailable is the fault of a database that does not serve.
func Unavailable(cause error) error {
	return domain.WrapFault(cause, domain.Unavailable, "database-unavailable", "The database is not available, please try again.")
}

// Meaning asks the dialect, and knows the signs that all drivers share.
func (d Dialect) Meaning(err error) Trouble {
	var network net.Error
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network):
		return Unreachable
	default:
		return d.explain(err)
	}
}
