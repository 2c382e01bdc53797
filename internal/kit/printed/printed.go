// Package printed holds the documents that are printed from tables against the tables.
package printed

import (
	"os"
	"testing"
)

// Hold fails t when the document at path does not say want; anew writes it first, which
// is what the flag -update of a test stands for.
func Hold(t *testing.T, path, want string, anew bool) {
	t.Helper()
	if anew {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; the flag -update of this test writes it", err)
	}
	if string(have) != want {
		t.Errorf("%s differs from the table it is printed from; the flag -update of this test writes it anew", path)
	}
}
