//go:build integration

package fuzz

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSeeds weathers the storms that once found something, and one for each shape of
// the service that found nothing.
func TestSeeds(t *testing.T) {
	for _, kept := range keptSeeds(t) {
		t.Run(kept.String(), func(t *testing.T) {
			t.Parallel()
			weather(t, kept.variant, draft(kept.seed, kept.drawn).cut(kept.made))
		})
	}
}

// TestStorms weathers new seeds on every shape for as long as FUZZ_MINUTES says.
// FUZZ_SEED, FUZZ_REQUESTS and FUZZ_VARIANT run one again, and FUZZ_CUT ends it early.
func TestStorms(t *testing.T) {
	requests, minutes := setting("FUZZ_REQUESTS", 2500), setting("FUZZ_MINUTES", 10)
	if seed := setting("FUZZ_SEED", 0); seed > 0 {
		for _, v := range variants() {
			if only := os.Getenv("FUZZ_VARIANT"); only == "" || only == v.name {
				t.Run(fmt.Sprintf("%s-%d", v.name, seed), func(t *testing.T) { weather(t, v, draft(uint64(seed), requests).cut(setting("FUZZ_CUT", 0))) })
			}
		}
		return
	}
	for end := time.Now().Add(time.Duration(minutes) * time.Minute); time.Now().Before(end); {
		seed := rand.Uint64N(1 << 32)
		t.Run(fmt.Sprintf("seed-%d", seed), func(t *testing.T) {
			for _, v := range variants() {
				t.Run(v.name, func(t *testing.T) {
					t.Parallel()
					weather(t, v, draft(seed, requests))
				})
			}
		})
	}
}

// setting is a number from the environment.
func setting(name string, standard int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return standard
}

// kept is a storm worth weathering again.
type kept struct {
	variant     variant
	seed        uint64
	drawn, made int // requests
}

func (k kept) String() string { return fmt.Sprintf("%s-%d", k.variant.name, k.seed) }

// keptSeeds reads the file seeds: variant, seed, requests drawn, how many of them are
// made and, after a #, what it found.
func keptSeeds(t *testing.T) (all []kept) {
	t.Helper()
	file, err := os.Open("seeds")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	shapes := map[string]variant{}
	for _, v := range variants() {
		shapes[v.name] = v
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if strings.TrimSpace(text) == "" {
			continue
		}
		var name string
		var k kept
		if _, err := fmt.Sscan(text, &name, &k.seed, &k.drawn, &k.made); err != nil {
			t.Fatalf("seeds: %q: %v", text, err)
		}
		k.variant = shapes[name]
		all = append(all, k)
	}
	return all
}
