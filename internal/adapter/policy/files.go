package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// stamp identifies one content of a file without reading it.
type stamp struct {
	modified time.Time
	size     int64
}

// places lists the files to read, in order: the policy file, then those of each
// directory by name. Hidden files are left out, as editors leave drafts there.
func (p *Policy) places() ([]string, error) {
	var files []string
	if file := p.main(); file != "" {
		files = append(files, file)
	} else if p.options.Required {
		return nil, fmt.Errorf("policy file %s does not exist", p.options.File)
	}
	for _, dir := range p.options.Dirs {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read policy directory: %w", err)
		}
		for _, entry := range entries {
			if !entry.IsDir() && !strings.HasPrefix(entry.Name(), ".") {
				files = append(files, filepath.Join(dir, entry.Name()))
			}
		}
	}
	return files, nil
}

// main returns the policy file that exists: the named one, else policy.json beside it.
func (p *Policy) main() string {
	if p.options.File == "" {
		return ""
	}
	candidates := []string{p.options.File}
	if !p.options.Required {
		candidates = append(candidates, filepath.Join(filepath.Dir(p.options.File), "policy.json"))
	}
	for _, candidate := range candidates {
		if _, err := os.Stat(candidate); !errors.Is(err, os.ErrNotExist) {
			return candidate
		}
	}
	return ""
}

// stamps identifies what all files hold now; what cannot be looked at is left out.
func (p *Policy) stamps() map[string]stamp {
	files, err := p.places()
	if err != nil {
		return nil
	}
	out := make(map[string]stamp, len(files))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			out[file] = stamp{modified: info.ModTime(), size: info.Size()}
		}
	}
	return out
}

// readFile reads one file of rules. JSON is read as the YAML that it is.
func readFile(file string) ([]source, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read policy file: %w", err)
	}
	var document yaml.Node
	err = yaml.NewDecoder(bytes.NewReader(content)).Decode(&document)
	if errors.Is(err, io.EOF) { // nothing but comments
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read policy file %s: %w", file, err)
	}
	sources, err := rulesOf(file, &document)
	if err != nil {
		return nil, fmt.Errorf("read policy file %s: %w", file, err)
	}
	return sources, nil
}

func rulesOf(file string, document *yaml.Node) ([]source, error) {
	top := document
	if top.Kind == yaml.DocumentNode && len(top.Content) == 1 {
		top = top.Content[0]
	}
	if top.Kind == yaml.ScalarNode && top.Tag == "!!null" {
		return nil, nil
	}
	if top.Kind != yaml.MappingNode {
		return nil, errors.New("expected \"rule name\": \"rule\" pairs")
	}
	seen := map[string]int{}
	var sources []source
	for i := 0; i+1 < len(top.Content); i += 2 {
		name, value := top.Content[i], top.Content[i+1]
		if line := seen[name.Value]; line > 0 {
			return nil, fmt.Errorf("line %d: rule %s stands already in line %d", name.Line, name.Value, line)
		}
		seen[name.Value] = name.Line
		var rule any
		if err := value.Decode(&rule); err != nil {
			return nil, fmt.Errorf("line %d: %w", value.Line, err)
		}
		sources = append(sources, source{name: name.Value, rule: rule, file: file, line: name.Line})
	}
	return sources, nil
}

// strangers returns the rules of files that are no default and that no rule refers to.
func strangers(sources []source) []source {
	asked := map[string]bool{}
	for _, s := range sources {
		if s.file == "" {
			asked[s.name] = true
		}
		if c, err := read(s.rule); err == nil {
			for _, name := range references(c) {
				asked[name] = true
			}
		}
	}
	var out []source
	for _, s := range sources {
		if !asked[s.name] {
			out = append(out, s)
		}
	}
	return out
}
