package sqlstore

import (
	"github.com/go-zun/zun/internal/adapter/store/sql/dialect"
	"github.com/go-zun/zun/internal/domain"
)

// fault translates err and remembers what the transaction cannot go on after.
func (t *tx) fault(err error) error {
	if err == nil {
		return nil
	}
	translated := t.store.dialect.Fault(err)
	meaning := t.store.dialect.Meaning(err)
	if meaning == dialect.Raced && t.raced == nil {
		t.raced = translated
	}
	if t.rides && t.lost == nil && (meaning == dialect.Raced || meaning == dialect.Unreachable) {
		t.lost = translated
	}
	return translated
}

// meant says whether the database refused with this meaning.
func (t *tx) meant(err error, meaning dialect.Trouble) bool {
	return err != nil && t.store.dialect.Meaning(err) == meaning
}

// again marks a duplicate key as lost race: another transaction inserted what this
// one had looked for in vain, and will find when it runs again.
func (t *tx) again(err error) error {
	if t.raced == nil && t.meant(err, dialect.Duplicate) {
		t.raced = err
	}
	return err
}

func notFound(code, what, ident string) error {
	return domain.NewFault(domain.NotFound, code, "%s %s could not be found.", what, ident)
}
