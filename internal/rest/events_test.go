package rest_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest"
	"github.com/go-zun/zun/internal/rest/stream"
)

// quiet is a feed in which nothing happens; it counts the looks.
type quiet struct{ looks *atomic.Int32 }

func (q quiet) Notices(context.Context, int64, int) ([]domain.Notice, error) {
	q.looks.Add(1)
	return nil, nil
}

func (quiet) NoticeBounds(context.Context) (oldest, newest int64, err error) { return 1, 5, nil }

// fickle knows nobody any more once it is told so.
type fickle struct {
	identity
	revoked *atomic.Bool
}

func (f fickle) Authenticate(ctx context.Context, token string) (domain.Actor, error) {
	if f.revoked.Load() {
		return domain.Actor{}, domain.NewFault(domain.Unauthenticated, "", "revoked")
	}
	return f.identity.Authenticate(ctx, token)
}

type crowd struct {
	server  *httptest.Server
	looks   atomic.Int32
	revoked atomic.Bool
}

func following(t *testing.T, timing stream.Timing) *crowd {
	t.Helper()
	c := &crowd{}
	h := build(t, func(d *rest.Deps) {
		d.Feed, d.Identity = quiet{&c.looks}, fickle{revoked: &c.revoked}
		d.Options.Extensions, d.Options.Follow.Timing = true, timing
	})
	c.server = httptest.NewServer(h)
	t.Cleanup(c.server.Close)
	return c
}

// open opens a stream for the owner of token.
func (c *crowd) open(t *testing.T, token string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.server.URL+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	r.Header.Set("Accept", "text/event-stream")
	answer, err := c.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = answer.Body.Close()
	})
	return answer
}

// remains reads a stream to its end.
func remains(t *testing.T, answer *http.Response) string {
	t.Helper()
	var all strings.Builder
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		fmt.Fprintln(&all, lines.Text())
	}
	return all.String()
}

func TestStreamsOfEventsAreBoundedPerProject(t *testing.T) {
	const most = 32
	c := following(t, stream.Timing{})
	for i := range most {
		if answer := c.open(t, "member"); answer.StatusCode != http.StatusOK {
			t.Fatalf("stream %d: %s", i, answer.Status)
		}
	}
	if answer := c.open(t, "member"); answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one more of the same project: %s", answer.Status)
	}
	if answer := c.open(t, "admin"); answer.StatusCode != http.StatusOK {
		t.Errorf("another project: %s", answer.Status)
	}
	before := c.looks.Load()
	began := time.Now()
	<-time.After(time.Second)
	if looks, intervals := c.looks.Load()-before, int32(time.Since(began)/(250*time.Millisecond))+1; looks > intervals+1 {
		t.Errorf("%d looks in %d intervals for %d streams", looks, intervals, most+1)
	}
}

func TestAStreamEndsWithItsToken(t *testing.T) {
	c := following(t, stream.Timing{Recheck: 20 * time.Millisecond})
	answer := c.open(t, "member")
	c.revoked.Store(true)
	if told := remains(t, answer); !strings.Contains(told, "event: end\ndata: {\"reason\":\"unauthorized\"}") {
		t.Errorf("told %q", told)
	}
}

func TestAStreamEndsInTime(t *testing.T) {
	c := following(t, stream.Timing{Longest: 50 * time.Millisecond})
	if told := remains(t, c.open(t, "member")); !strings.Contains(told, "event: end\ndata: {\"reason\":\"lifetime\"}") {
		t.Errorf("told %q", told)
	}
}
