package app

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// What comes before a token was looked at comes from strangers, who may promise a body and
// send none; net/http awaits one for ever.
const (
	// bodyTime bounds the coming of a body. Handlers of long ones, which are of users, set
	// bounds of their own that move with what comes.
	bodyTime = 30 * time.Second
	// leftoverTime is how long the rest of a body is awaited that its handler did not read:
	// hanging up on one that is under way may take the answer with it.
	leftoverTime = 5 * time.Second
)

// boundBodies has bodies come within span for h, and what h leaves of them within leftover.
func boundBodies(h http.Handler, span, leftover time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			h.ServeHTTP(w, r)
			return
		}
		body := &boundBody{ReadCloser: r.Body, bounds: http.NewResponseController(w)}
		body.bound(span)
		r.Body = body
		h.ServeHTTP(w, r)
		if !body.whole.Load() {
			body.bound(leftover)
		}
	})
}

// boundBody takes the bound away once all is there: answering may take longer, and a bound
// that is reached by then looks like a client that left.
type boundBody struct {
	io.ReadCloser
	bounds *http.ResponseController
	whole  atomic.Bool
}

// Read implements io.Reader.
func (b *boundBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		b.whole.Store(true)
		_ = b.bounds.SetReadDeadline(time.Time{}) // what could not be bounded is not
	}
	return n, err
}

func (b *boundBody) bound(span time.Duration) {
	_ = b.bounds.SetReadDeadline(time.Now().Add(span)) // the connections of a front can be bounded
}
