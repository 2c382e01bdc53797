// Package template reads the templates of capsules: YAML or JSON, from a file or from
// the web.
package template

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const (
	// Longest bounds a template in bytes; a server refuses longer bodies anyway.
	Longest = 1 << 20
	// patience is how long the web is waited for.
	patience = 30 * time.Second
)

// Read returns the template at location: a path, or an address that begins with
// http://, https:// or file://.
func Read(ctx context.Context, location string) (map[string]any, error) {
	content, err := open(ctx, location)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	defer func() { _ = content.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(content, Longest+1))
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return Parse(text)
}

// Parse reads a template. An error names the line, or says what no JSON can hold:
// names that are no text, and numbers that are none.
func Parse(text []byte) (map[string]any, error) {
	if len(text) > Longest {
		return nil, fmt.Errorf("the template is longer than %d bytes", Longest)
	}
	var template map[string]any
	if err := yaml.Unmarshal(text, &template); err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	if len(template) == 0 {
		return nil, errors.New("the template is empty")
	}
	if _, err := json.Marshal(template); err != nil {
		return nil, fmt.Errorf("the template is no JSON: %w", err)
	}
	return template, nil
}

func open(ctx context.Context, location string) (io.ReadCloser, error) {
	address, err := url.Parse(location)
	switch {
	case err != nil, !strings.Contains(location, "://"):
		return os.Open(location)
	case address.Scheme == "file":
		return os.Open(address.Path)
	case address.Scheme == "http", address.Scheme == "https":
		return fetch(ctx, location)
	default:
		return nil, fmt.Errorf("%s: only files and addresses of http and https are read", location)
	}
}

// body is an answer of the web whose time ends with it.
type body struct {
	io.ReadCloser
	stop context.CancelFunc
}

// Close ends the request.
func (b body) Close() error {
	defer b.stop()
	return b.ReadCloser.Close()
}

func fetch(ctx context.Context, location string) (io.ReadCloser, error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		stop()
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		stop()
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		defer stop()
		return nil, errors.Join(fmt.Errorf("%s answered %s", location, answer.Status), answer.Body.Close())
	}
	return body{answer.Body, stop}, nil
}
