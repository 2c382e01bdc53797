package static

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
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

	mu        sync.RWMutex     // never held over file work, as every check of a token waits for it
	until     map[string]int64 // expiry by audit id
	seen      seen
	nextCheck time.Time

	reading sync.Mutex // held by who reads the file
	taken   int64      // bytes of the file, up to the end of a line, that are in until
	kept    int        // entries that the last forgetting left
	roomy   int64      // bytes of the file beyond which it is written anew
}

// fewEntries is how many may be added before what has expired is looked for.
const fewEntries = 1024

// roomyBytes is how long the file may be whatever has expired.
const roomyBytes = 1 << 20

// openRevocations reads the list and drops from the file what has expired.
func openRevocations(path string, now func() time.Time) (*revocations, error) {
	r := &revocations{path: path, now: now, until: map[string]int64{}, roomy: roomyBytes, nextCheck: now().Add(recheck)}
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

// has says whether the token named audit was revoked. Once every recheck one caller
// looks whether other replicas revoked something; a file that cannot be read is tried
// again then, and what was known stays known.
func (r *revocations) has(audit string) bool {
	now := r.now()
	r.mu.RLock()
	_, revoked := r.until[audit]
	due := now.After(r.nextCheck)
	r.mu.RUnlock()
	if revoked || !due || !r.changed(now) || r.read() != nil {
		return revoked
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, revoked = r.until[audit]
	return revoked
}

// changed says whether the caller is the one to read the file, and it needs reading.
func (r *revocations) changed(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !now.After(r.nextCheck) {
		return false
	}
	r.nextCheck = now.Add(recheck)
	return stampOf(r.path) != r.seen
}

// add revokes the token named audit, which would live until the unix time expires.
// File first, because a revoked token must not come back to life with a restart.
func (r *revocations) add(audit string, expires int64) error {
	return locked(r.path, func() error {
		if err := r.append(audit, expires); err != nil {
			return err
		}
		if err := r.read(); err != nil { // with what other replicas added
			return err
		}
		return r.tidy()
	})
}

// tidy writes a long file anew of which most has expired, since a process may run for years.
func (r *revocations) tidy() error {
	r.reading.Lock()
	defer r.reading.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken < r.roomy {
		return nil
	}
	now := r.now().Unix()
	maps.DeleteFunc(r.until, func(_ string, expires int64) bool { return expires <= now })
	r.kept = len(r.until)
	err := r.prune()
	r.roomy = max(roomyBytes, 2*r.taken)
	return err
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
// torn by a crash and were never promised to anybody. What is known is added to, never
// replaced, because a reader that was overtaken by a writer must not forget the newest.
// Of a file that grew only the new end is read: anybody may give back any number of his
// tokens, and each would cost the more.
func (r *revocations) read() error {
	r.reading.Lock()
	defer r.reading.Unlock()
	r.mu.RLock()
	former := r.seen
	r.mu.RUnlock()
	stamp := stampOf(r.path)
	if stamp.inode != former.inode || stamp.size < r.taken {
		r.taken = 0
	}
	content, err := readFrom(r.path, r.taken)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read revocations: %w", err)
	}
	content = content[:strings.LastIndexByte(content, '\n')+1] // a line may be under way
	r.taken += int64(len(content))
	now := r.now().Unix()
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(content) {
		audit, expiry, _ := strings.Cut(strings.TrimSpace(line), " ")
		expires, err := strconv.ParseInt(expiry, 10, 64)
		if err == nil && expires > now {
			r.until[audit] = expires
		}
	}
	r.seen = stamp
	r.forget(now)
	return nil
}

// forget drops what has expired once enough was added for it to be worth a look at all.
func (r *revocations) forget(now int64) {
	if len(r.until) < 2*r.kept+fewEntries {
		return
	}
	maps.DeleteFunc(r.until, func(_ string, expires int64) bool { return expires <= now })
	r.kept = len(r.until)
}

// readFrom returns what stands in the file from offset on.
func readFrom(path string, offset int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.NewSectionReader(file, offset, math.MaxInt64-offset))
	return string(content), errors.Join(err, file.Close())
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
	r.seen, r.taken = stampOf(r.path), int64(out.Len())
	return nil
}
