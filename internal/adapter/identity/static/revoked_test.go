package static

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestARevocationCostsTheSameHoweverManyThereAre: what was read once is not read again, and
// what has expired does not stay in the file until the next start.
func TestARevocationCostsTheSameHoweverManyThereAre(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	path := filepath.Join(t.TempDir(), "revoked")
	var lines strings.Builder
	for n := range roomyBytes / 20 {
		fmt.Fprintf(&lines, "audit-%08d %d\n", n, now.Add(time.Minute).Unix())
	}
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := openRevocations(path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("other"); err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	r.roomy *= 4
	add := func(audit string) {
		t.Helper()
		if err := r.add(audit, now.Add(time.Hour).Unix()); err != nil || !r.has(audit) {
			t.Errorf("revoke %s: %v", audit, err)
		}
	}
	add("one")
	if len(r.until) != roomyBytes/20+1 || !r.has("audit-00000007") {
		t.Errorf("%d are known: the whole file was read again", len(r.until))
	}
	r.roomy = roomyBytes
	now = now.Add(2 * time.Minute)
	add("two")
	if info, err := os.Stat(path); err != nil || info.Size() > 100 || len(r.until) != 2 {
		t.Errorf("what has expired is kept: %+v, %v, %d", info, err, len(r.until))
	}
	add("three")
	another, err := openRevocations(path, func() time.Time { return now })
	if err != nil || !another.has("one") || !another.has("two") || !another.has("three") {
		t.Errorf("another replica knows %v, %v", another.until, err)
	}
}
