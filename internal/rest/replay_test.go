//go:build integration

package rest_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/test/contract"
)

// recordedProject is the project of the member in the recordings.
const recordedProject = "e535f5d5f46b4506a6d51e5669c1fb08"

// recordedIdentity is identity with the member in the recorded project.
type recordedIdentity struct{ identity }

func (i recordedIdentity) Authenticate(ctx context.Context, token string) (domain.Actor, error) {
	actor, err := i.identity.Authenticate(ctx, token)
	if token == "member" {
		actor.ProjectID = recordedProject
	}
	return actor, err
}

func recordedToken(e contract.Exchange) string {
	_, sent := e.Header["X-Auth-Token"]
	switch {
	case !sent:
		return ""
	case e.Label == "bad token":
		return "stolen"
	case strings.Contains(e.Label, "admin"):
		return "admin"
	default:
		return "member"
	}
}

// TestTheRecordingsOfTheFrontDoor replays what needs no back end: versions, paths,
// authentication, authorisation and validation. The recordings lie beside the clone
// or where ZUN_GOLDEN_DIR says.
func TestTheRecordingsOfTheFrontDoor(t *testing.T) {
	dir := os.Getenv("ZUN_GOLDEN_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "golden")
	}
	allowed, err := contract.ReadAllowed(filepath.Join("..", "..", "test", "contract", "allowed.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, func(d *rest.Deps) { d.Identity = recordedIdentity{} })
	server := httptest.NewServer(h)
	defer server.Close()
	service := contract.Service{URL: server.URL, Token: recordedToken}
	replayed := 0
	for _, file := range []string{"00-versions.jsonl", "01-auth.jsonl", "03-errors-1.40.jsonl"} {
		exchanges, err := contract.Read(dir, file)
		if err != nil {
			t.Fatalf("the recordings are needed: %v", err)
		}
		for _, e := range exchanges {
			difference := allowed[e.Name()]
			delete(allowed, e.Name())
			if difference.Skip {
				t.Logf("left out: %s %q: %s", e.Name(), e.Label, difference.Reason)
				continue
			}
			got, err := service.Replay(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			replayed++
			if wrong := contract.Compare(e, got, difference); wrong != "" {
				t.Error(wrong)
			}
		}
	}
	for name := range allowed {
		t.Errorf("allowed.jsonl speaks of %s, which was not replayed", name)
	}
	t.Logf("replayed %d exchanges", replayed)
}
