//go:build integration

package contract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/test/allinone"
	"github.com/go-zun/zun/test/contract"
)

const (
	// settleWithin is how long a line waits for those before it.
	settleWithin = 15 * time.Second
	// comeWithin is how long something that is read may take to become as recorded.
	comeWithin = 4 * time.Second
)

// recordings lists the files with the range of addresses for the containers of each.
func recordings() map[string]string {
	files := []string{
		"00-versions", "01-auth", "02-containers-1.1", "02-containers-1.20", "02-containers-1.40", "03-errors-1.40",
		"04-capsules-1.32", "04-capsules-1.40", "05-admin-1.4", "05-admin-1.40", "06-cli",
	}
	pools := map[string]string{}
	for i, file := range files {
		pools[file+".jsonl"] = fmt.Sprintf("10.%d.0.0/16", 160+i)
	}
	return pools
}

// TestTheRecordings replays every recorded exchange as a script against a running
// service: what one answer names, later requests use.
func TestTheRecordings(t *testing.T) {
	dir := goldenDir()
	allowed, err := contract.ReadAllowances("running.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	sums := &summary{rows: map[string]*row{}}
	t.Cleanup(func() { sums.write(t) })
	for file, pool := range recordings() {
		exchanges, err := contract.Read(dir, file)
		if err != nil {
			t.Fatalf("the recordings are needed beside the clone or where ZUN_GOLDEN_DIR says: %v", err)
		}
		t.Run(strings.TrimSuffix(file, ".jsonl"), func(t *testing.T) {
			t.Parallel()
			play(t, script{exchanges: exchanges, allowed: allowed, service: allinone.Start(t, allinone.Options{Pool: pool, Slow: true}), row: sums.row(file)})
		})
	}
}

// goldenDir is where the recordings are.
func goldenDir() string {
	if dir := os.Getenv("ZUN_GOLDEN_DIR"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "shared", "golden")
}

// script is the replay of one file.
type script struct {
	exchanges []contract.Exchange
	allowed   contract.Allowances
	service   allinone.Service
	row       *row
	described *contract.Description
}

func play(t *testing.T, s script) {
	t.Helper()
	address := strings.TrimPrefix(s.service.URL, "http://")
	names := contract.NewNames(map[string]string{
		"127.0.0.1:9517": address, "127.0.0.1:5000": address + "/identity", "127.0.0.1:19517": address, "127.0.0.1:5055": registry(s.exchanges[0].File),
	})
	s.described = describe(t, s.service)
	door := contract.Service{URL: s.service.URL, Token: func(e contract.Exchange) string { return s.service.Tokens[who(e)] }}
	for _, e := range s.exchanges {
		t.Run(strconv.Itoa(e.Line), func(t *testing.T) { s.line(t, door, names, e) })
	}
}

// describe reads the document that the service gives of itself.
func describe(t *testing.T, service allinone.Service) *contract.Description {
	t.Helper()
	var document json.RawMessage
	if err := service.Get(t.Context(), "/v1/openapi.json", &document); err != nil {
		t.Fatal(err)
	}
	d, err := contract.Describe(document)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// registry is what the recorded registry is called here. Nothing was ever found in it,
// which the fake engine knows by another name.
func registry(file string) string {
	const recorded = "127.0.0.1:5055"
	if strings.HasPrefix(file, "02") {
		return recorded + "/missing"
	}
	return recorded
}

func (s script) line(t *testing.T, door contract.Service, names *contract.Names, e contract.Exchange) {
	t.Helper()
	s.row.lines++
	if needs := s.allowed.Needs(e); needs != "" {
		s.row.misses(needs)
		return
	}
	if !between(e) {
		// A line that does not settle shows in what it answers.
		_ = allinone.Poll(t.Context(), settleWithin, func() error { return s.service.Settled(t.Context()) })
	}
	e, otherwise := s.allowed.Instead(e)
	var allowed, wrong []contract.Mismatch
	described := false
	try := func() error {
		learned := names.Clone()
		reply, err := door.Send(t.Context(), names.Request(e))
		if err != nil {
			return err
		}
		if described, err = s.described.Holds(e.Method, e.Path, reply); err != nil {
			return fmt.Errorf("%s %q: %s", e.Name(), e.Label, contract.Undescribed(err))
		}
		allowed, wrong = s.allowed.Judge(e, learned.Differ(e, reply))
		if e.Method != http.MethodGet || len(wrong) == 0 && !s.allowed.Vague(e) {
			*names = *learned
		}
		if len(wrong) > 0 {
			return fmt.Errorf("%s %q %s %s?%s as %s: %d mismatches", e.Name(), e.Label, e.Method, e.Path, e.Query, who(e), len(wrong))
		}
		return nil
	}
	err := try()
	if err != nil && e.Method == http.MethodGet && !between(e) {
		err = allinone.Poll(t.Context(), comeWithin, try)
	}
	if described {
		s.row.described++
	}
	switch {
	case err != nil:
		s.row.wrong++
		t.Error(err)
		for _, m := range wrong {
			t.Error(m)
		}
	case len(allowed) > 0 || otherwise:
		s.row.allowed++
	default:
		s.row.equal++
	}
	for _, unused := range s.allowed.Unused(e) {
		t.Error(unused)
	}
}

// between says whether the recorded answer is of a moment while something was under way.
func between(e contract.Exchange) bool {
	if e.Method != http.MethodGet && e.Status != http.StatusConflict {
		return false
	}
	for _, word := range []string{"in Restarting state", "in Creating state", `"status":"Restarting"`, `"status":"Creating"`, `"task_state":"container_`} {
		if bytes.Contains(compact(e.Answer), []byte(word)) {
			return true
		}
	}
	return false
}

func compact(body []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, body) != nil {
		return body
	}
	return out.Bytes()
}

// who sent the request: the recording's labels tell.
func who(e contract.Exchange) string {
	if _, sent := e.Header["X-Auth-Token"]; !sent || e.Label == "bad token" {
		return ""
	}
	for _, word := range strings.Fields(e.Label) {
		switch word {
		case "admin", "demo", "reader", "alt":
			return word
		}
	}
	switch {
	case strings.HasPrefix(e.File, "06"):
		return "operator"
	case strings.HasPrefix(e.File, "05") && !strings.HasPrefix(e.Label, "registry"):
		return "admin"
	default:
		return "demo"
	}
}

// row is a line of the summary.
type row struct {
	lines, equal, allowed, wrong int
	described                    int            // answers that the description of the API was held against
	missing                      map[string]int // lines by what they need
}

func (r *row) misses(what string) { r.missing[what]++ }

// summary counts by file.
type summary struct {
	mu   sync.Mutex
	rows map[string]*row
}

func (s *summary) row(file string) *row {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &row{missing: map[string]int{}}
	s.rows[file] = r
	return r
}
