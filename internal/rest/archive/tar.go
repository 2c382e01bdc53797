// Package archive carries tars between clients and hosts without holding them: as they
// are, or in the form of the contract, base64 within JSON, which many clients hold.
package archive

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// MediaType is that of a tar as it is.
const MediaType = "application/x-tar"

// patience is how long a client may take or send nothing.
const patience = time.Minute

// Asked says that the client asks for a tar by name.
func Asked(r *http.Request) bool {
	for entry := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if media, _, err := mime.ParseMediaType(entry); err == nil && media == MediaType {
			return true
		}
	}
	return false
}

// Given says that the body is a tar.
func Given(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == MediaType
}

// Get reads an archive out of a container into a sink.
type Get func(control.ByteSink) (domain.PathStat, error)

// Send answers with what get gives to its sink. An error is one from before the first
// byte; a later one cuts the connection, because the client must see that it is not all.
func Send(w http.ResponseWriter, get Get) error {
	out, release := bounding(w)
	defer release()
	begun := false
	_, err := get(func(chunk []byte) error {
		if !begun {
			w.Header().Set("Content-Type", MediaType)
			w.WriteHeader(http.StatusOK)
			begun = true
		}
		_, err := out.Write(chunk)
		return err
	})
	if err != nil && begun {
		panic(http.ErrAbortHandler)
	}
	return err
}

// bounding writes to w; a client that takes nothing for too long ends it. release takes
// the bound away, for the next request on the connection.
func bounding(w http.ResponseWriter) (to io.Writer, release func()) {
	bounds := http.NewResponseController(w)
	// What cannot be bounded was not.
	return boundedWriter{w, bounds}, func() { _ = bounds.SetWriteDeadline(time.Time{}) }
}

type boundedWriter struct {
	to     io.Writer
	bounds *http.ResponseController
}

// Write implements io.Writer.
func (b boundedWriter) Write(p []byte) (int, error) {
	if err := bounded(b.bounds.SetWriteDeadline); err != nil {
		return 0, err
	}
	return b.to.Write(p)
}

// Receive hands put the body as it comes. A body that breaks off is Invalid.
func Receive(w http.ResponseWriter, r *http.Request, put func(control.ByteSource) error) error {
	bounds := http.NewResponseController(w)
	defer func() { _ = bounds.SetReadDeadline(time.Time{}) }() // one that cannot be bounded was not
	source := &patient{from: r.Body, bounds: bounds}
	err := put(source)
	if source.broken != nil && r.Context().Err() == nil {
		return domain.WrapFault(source.broken, domain.Invalid, "invalid", "The archive broke off.")
	}
	return err
}

// patient reads a body that must not stand still.
type patient struct {
	from   io.Reader
	bounds *http.ResponseController
	broken error
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := bounded(p.bounds.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := p.from.Read(b)
	if errors.Is(err, io.EOF) {
		_ = p.bounds.SetReadDeadline(time.Time{}) // what the host does with it may take its time
	} else if err != nil {
		p.broken = err
	}
	return n, err
}

// bounded sets how long the next piece may take; what cannot be bounded is not.
func bounded(set func(time.Time) error) error {
	if err := set(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("bound the passing of an archive: %w", err)
	}
	return nil
}
