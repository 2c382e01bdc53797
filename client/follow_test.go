package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// radio is a service whose answers to followers a test scripts, one after the other;
// the last is given for ever.
type radio struct {
	mu      sync.Mutex
	answers []string // a status, or the text of a stream
	asked   []url.Values
}

func (s *radio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Query())
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	var status int
	var code string
	if n, _ := fmt.Sscanf(answer, "%d %s", &status, &code); n > 0 {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"status":%d,"code":%q,"title":"refused"}]}`, status, code)
		return
	}
	if r.Header.Get("Accept") != "text/event-stream" || r.URL.Path != "/v1/containers/web/logs/follow" {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	_, _ = fmt.Fprint(w, answer)
}

func event(name, id, data string) string {
	return "id: " + id + "\nevent: " + name + "\ndata: " + data + "\n\n"
}

func line(id string) string { return event("line", id, `{"stream":"stdout","data":"`+id+`aa="}`) }

// listen follows through the answers and returns what was told, shortly.
func listen(t *testing.T, o client.FollowOptions, answers ...string) (told string, s *radio, err error) {
	t.Helper()
	s = &radio{answers: answers}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	c := client.New(client.Options{Auth: client.Static{URL: server.URL, Value: "t"}, Version: api.MaxVersion})
	err = c.FollowLogs(t.Context(), "web", o, func(e client.LogEvent) error {
		told += e.Name + e.Cursor + e.Reason + " "
		return nil
	})
	return strings.TrimSpace(told), s, err
}

func TestFollowedLogsAreTakenUpWhereTheyBroke(t *testing.T) {
	begin, end := event("begin", "A", "{}"), event("end", "D", `{"reason":"exited","exit_code":0}`)
	var broken []string
	o := client.FollowOptions{Query: url.Values{"tail": {"5"}}, Broken: func(err error) { broken = append(broken, err.Error()) }}
	told, s, err := listen(t, o,
		"503 container.host-unavailable",                       // before it began
		begin+": alive\n\n"+line("B")+"id: X\nevent: line\nda", // in the middle of an event
		"429 container.too-many-followers",
		begin+event("end", "B", `{"reason":"lifetime","resume":true}`),
		"502 x",
		begin+line("C")+event("gap", "C", `{"reason":"rotated"}`)+end,
	)
	if err != nil || told != "beginA lineB lineC gapCrotated endDexited" {
		t.Errorf("told %q, %v", told, err)
	}
	var cursors []string
	for _, q := range s.asked {
		cursors = append(cursors, q.Get("cursor"))
		if q.Get("tail") != "5" {
			t.Errorf("asked %v", q)
		}
	}
	if got := strings.Join(cursors, ","); got != ",,B,B,B,B" || len(broken) != 5 {
		t.Errorf("asked with cursors %q; broken: %q", got, broken)
	}
}

func TestFollowingThatCannotGoOn(t *testing.T) {
	begin := event("begin", "A", "{}")
	for name, c := range map[string]struct {
		answers    []string
		told, says string
	}{
		"no container":           {[]string{"404 container.container-not-found"}, "", "refused"},
		"no extension":           {[]string{"404 container."}, "", "does not follow logs"},
		"forbidden":              {[]string{"403 container.policy-not-authorized"}, "", "refused"},
		"too many":               {[]string{"429 container.too-many-followers"}, "", "refused"},
		"junk":                   {[]string{begin + "data: junk\n\n"}, "beginA", "read the followed log"},
		"a host that gave up":    {[]string{begin + event("end", "A", `{"reason":"failed"}`)}, "beginA endAfailed", "cannot go on"},
		"deleted meanwhile":      {[]string{begin, "404 container.container-not-found"}, "beginA endAdeleted", ""},
		"forbidden meanwhile":    {[]string{begin, "403 container.policy-not-authorized"}, "beginA", "refused"},
		"away longer than borne": {[]string{"503 container.unavailable"}, "", "refused"},
	} {
		told, _, err := listen(t, client.FollowOptions{Patience: time.Second}, c.answers...)
		if told != c.told || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: told %q, %v", name, told, err)
		}
	}
}

func TestFollowingEndsWithItsContextAndItsListener(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, event("begin", "A", "{}")+line("B"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	c := client.New(client.Options{Auth: client.Static{URL: server.URL, Value: "t"}, Version: api.MaxVersion})
	ctx, cancel := context.WithCancel(t.Context())
	err := c.FollowLogs(ctx, "web", client.FollowOptions{}, func(e client.LogEvent) error {
		if e.Name == "line" {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("with its context: %v", err)
	}
	full := errors.New("the disk is full")
	if err := c.FollowLogs(t.Context(), "web", client.FollowOptions{}, func(client.LogEvent) error { return full }); !errors.Is(err, full) {
		t.Errorf("with its listener: %v", err)
	}
}
