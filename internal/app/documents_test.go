package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentsAreReached holds that the index of the documents leads to each of them,
// and that no document leads to a file that is not there.
func TestDocumentsAreReached(t *testing.T) {
	const root = "../.."
	documents := []string{root + "/README.md", root + "/CONTRIBUTING.md", root + "/SCOPE.md"}
	err := filepath.WalkDir(root+"/docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			documents = append(documents, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	index := map[string]bool{}
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			to := filepath.Join(filepath.Dir(document), match[1])
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s leads to %s, which is not there", document, match[1])
			}
			index[to] = index[to] || document == root+"/docs/README.md"
		}
	}
	for _, document := range documents[3:] {
		if document != root+"/docs/README.md" && !index[document] {
			t.Errorf("docs/README.md does not lead to %s", document)
		}
	}
}
