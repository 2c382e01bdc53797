package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-zun/zun/bench/figure"
)

// request is one kind of request: text gives the whole n-th one as it goes over the wire.
type request struct {
	text   func(n int) string
	status int // expected
	most   int // of these requests in all; 0: no bound
}

// result is what came of repeating a request.
type result struct {
	took  figure.Series
	spent time.Duration
}

// repeat sends q over clients connections at once, on each one after the other, until
// span is over. The bare wire is spoken, because a comfortable client would use more
// of the shared processors than the server that is measured.
func repeat(ctx context.Context, address string, clients int, span time.Duration, q request) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	each := make([]figure.Series, clients)
	errs := make([]error, clients)
	begun := time.Now()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { each[i], errs[i] = converse(ctx, address, q, i, clients) })
	}
	all.Wait()
	r := result{spent: time.Since(begun)}
	for _, series := range each {
		r.took = append(r.took, series...)
	}
	return r, errors.Join(errs...)
}

// converse is one connection; it sends the requests first, first+step and so on.
func converse(ctx context.Context, address string, q request, first, step int) (figure.Series, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if ctx.Err() != nil {
		return nil, nil // the time was over before it began
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer conn.Close() //nolint:errcheck // every answer was read
	in := bufio.NewReaderSize(conn, 64<<10)
	var took figure.Series
	for n := first; ctx.Err() == nil && (q.most == 0 || n < q.most); n += step {
		text := q.text(n)
		begun := time.Now()
		if _, err := io.WriteString(conn, text); err != nil {
			return nil, fmt.Errorf("send: %w", err)
		}
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
		var body strings.Builder
		to := io.Discard
		if answer.StatusCode != q.status {
			to = &body
		}
		if _, err := io.Copy(to, answer.Body); err != nil {
			return nil, fmt.Errorf("read an answer: %w", err)
		}
		took = append(took, time.Since(begun))
		if answer.StatusCode != q.status {
			return nil, fmt.Errorf("answered %s: %s", answer.Status, body.String())
		}
	}
	return took, nil
}
