package static

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// revocations is the list of tokens that were given back before their time: one line
// "audit-id unix-expiry" each in a file that replicas share.
type revocations struct {
	path string
	now  func() time.Time

	mu        sync.RWMutex
	until     map[string]int64 // expiry by audit id
	seen      seen
	nextCheck time.Time
}

// openRevocations reads the list and drops from the file what has expired.
func openRevocations(path string, now func() time.Time) (*revocations, error) {
	r := &revocations{path: path, now: now, nextCheck: now().Add(recheck)}
	err := locked(path, func() error {
		if err := r.read(); err != nil {
			return err
		}
		return r.prune()
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// has says whether the token named audit was revoked.
func (r *revocations) has(audit string) bool {
	r.mu.RLock()
	_, revoked := r.until[audit]
	due := r.now().After(r.nextCheck)
	r.mu.RUnlock()
	if revoked || !due {
		return revoked
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nextCheck = r.now().Add(recheck)
	if stampOf(r.path) != r.seen {
		if err := r.read(); err != nil {
			r.seen = seen{} // read again next time; what was known stays known
		}
	}
	_, revoked = r.until[audit]
	return revoked
}

// add revokes the token named audit, which would live until the unix time expires.
// File first, because a revoked token must not come back to life with a restart.
func (r *revocations) add(audit string, expires int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return locked(r.path, func() error {
		if err := r.append(audit, expires); err != nil {
			return err
		}
		return r.read() // with what other replicas added
	})
}

func (r *revocations) append(audit string, expires int64) error {
	file, err := os.OpenFile(r.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open revocations: %w", err)
	}
	line := fmt.Sprintf("%s %d\n", audit, expires)
	if torn(file) {
		line = "\n" + line
	}
	_, err = file.WriteString(line)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write revocation: %w", err)
	}
	return nil
}

// torn says whether the last line was cut off by a crash.
func torn(file *os.File) bool {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	last := make([]byte, 1)
	_, err = file.ReadAt(last, info.Size()-1)
	return err != nil || last[0] != '\n'
}

// read takes in what the file has and has not expired; lines that cannot be read were
// torn by a crash and were never promised to anybody.
func (r *revocations) read() error {
	stamp := stampOf(r.path)
	content, err := os.ReadFile(r.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read revocations: %w", err)
	}
	now, until := r.now().Unix(), map[string]int64{}
	for line := range strings.Lines(string(content)) {
		audit, expiry, _ := strings.Cut(strings.TrimSpace(line), " ")
		expires, err := strconv.ParseInt(expiry, 10, 64)
		if err == nil && expires > now {
			until[audit] = expires
		}
	}
	r.until, r.seen = until, stamp
	return nil
}

// prune writes the file anew without what has expired.
func (r *revocations) prune() error {
	if r.seen == (seen{}) {
		return nil
	}
	var out strings.Builder
	for audit, expires := range r.until {
		fmt.Fprintf(&out, "%s %d\n", audit, expires)
	}
	if err := replace(r.path, []byte(out.String())); err != nil {
		return err
	}
	r.seen = stampOf(r.path)
	return nil
}
