package chance_test

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"testing"

	"github.com/go-zun/zun/internal/control/chance"
)

func TestUUID(t *testing.T) {
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	dice := chance.New(rand.Reader)
	seen := map[string]bool{}
	for range 100 {
		id, err := dice.UUID()
		if err != nil || !form.MatchString(id) || seen[id] {
			t.Fatalf("drew %q, %v", id, err)
		}
		seen[id] = true
	}
}

func TestAnEmptySource(t *testing.T) {
	dice := chance.New(bytes.NewReader(nil))
	if _, err := dice.UUID(); err == nil {
		t.Error("a uuid came out of nothing")
	}
	if n := dice.Below(5); n != 0 {
		t.Errorf("drew %d", n)
	}
	if name := dice.Name(); name != "alpha-1-container" {
		t.Errorf("drew %q", name)
	}
}

func TestBelow(t *testing.T) {
	dice := chance.New(rand.Reader)
	for range 100 {
		if n := dice.Below(3); n < 0 || n > 2 {
			t.Fatalf("drew %d of 3", n)
		}
	}
}
