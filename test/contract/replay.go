package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Service is where exchanges are replayed: a base URL, and how to choose the token
// for an exchange (empty: none is sent). Prepare, if set, may change a request.
type Service struct {
	URL     string
	Token   func(Exchange) string
	Prepare func(Exchange, *http.Request)
}

// Outcome is what a service answered.
type Outcome struct {
	Status int
	Code   string // of the fault, without "container."
	Title  string // its first line
}

const replyTimeout = 30 * time.Second

// Reply is a whole answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Replay sends the request of e and returns the outcome.
func (s Service) Replay(ctx context.Context, e Exchange) (Outcome, error) {
	reply, err := s.Send(ctx, e)
	return outcome(reply.Status, reply.Body), err
}

// Send sends the request of e and returns the whole answer.
func (s Service) Send(ctx context.Context, e Exchange) (Reply, error) {
	ctx, cancel := context.WithTimeout(ctx, replyTimeout)
	defer cancel()
	address := s.URL + e.Path
	if e.Query != "" {
		address += "?" + e.Query
	}
	request, err := http.NewRequestWithContext(ctx, e.Method, address, bytes.NewReader(plain(e.Body)))
	if err != nil {
		return Reply{}, fmt.Errorf("make the request of %s: %w", e.Name(), err)
	}
	for name, value := range e.Header {
		request.Header.Set(name, value)
	}
	request.Header.Del("X-Auth-Token")
	if token := s.Token(e); token != "" {
		request.Header.Set("X-Auth-Token", token)
	}
	if s.Prepare != nil {
		s.Prepare(e, request)
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return Reply{}, fmt.Errorf("replay %s: %w", e.Name(), err)
	}
	defer func() { _ = reply.Body.Close() }() // it was only read
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return Reply{}, fmt.Errorf("read the answer to %s: %w", e.Name(), err)
	}
	return Reply{Status: reply.StatusCode, Header: reply.Header, Body: text}, nil
}

// plain returns the bytes that were sent: a recorded string stands for itself.
func plain(body json.RawMessage) []byte {
	var text string
	if json.Unmarshal(body, &text) == nil {
		return []byte(text)
	}
	return body
}

// Recorded is the outcome that the original service had.
func (e Exchange) Recorded() Outcome { return outcome(e.Status, e.Answer) }

func outcome(status int, body []byte) Outcome {
	var fault struct {
		Errors []struct{ Code, Title string }
	}
	o := Outcome{Status: status}
	if json.Unmarshal(body, &fault) == nil && len(fault.Errors) > 0 {
		o.Code = strings.TrimPrefix(fault.Errors[0].Code, "container.")
		o.Title, _, _ = strings.Cut(fault.Errors[0].Title, "\n")
	}
	return o
}

// Compare returns what is wrong with got, the answer to e; empty: nothing.
func Compare(e Exchange, got Outcome, allowed Difference) string {
	want := e.Recorded()
	if allowed.Status != 0 {
		want = Outcome{Status: allowed.Status, Code: allowed.Code, Title: allowed.Title}
	}
	switch {
	case got.Status != want.Status, got.Code != want.Code:
	case allowed.Status != 0 && strings.HasPrefix(got.Title, want.Title):
		return ""
	case allowed.Status == 0 && got.Title == want.Title:
		return ""
	}
	return fmt.Sprintf("%s %q %s %s?%s\n got %+v\nwant %+v", e.Name(), e.Label, e.Method, e.Path, e.Query, got, want)
}
