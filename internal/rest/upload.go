package rest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/archive"
	"github.com/go-zun/zun/internal/rest/body"
	"github.com/go-zun/zun/internal/rest/schema"
)

// besideArchive bounds what stands beside the archive in the body of put_archive.
const besideArchive = 64 << 10

// openArchive takes the archive out of the body of put_archive, so that it goes through
// in pieces: what is left of the body is read as that of any other request.
func (c *call) openArchive() error {
	if c.route.Args != schema.PutArchive || c.r.Body == nil || c.r.Body == http.NoBody || archive.Given(c.r) {
		return nil
	}
	bounded := http.MaxBytesReader(c.w, c.r.Body, c.Options.MaxArchive)
	before, text, err := body.Split(archive.Patiently(c.w, bounded), "data", besideArchive)
	if err != nil {
		return uploadFault(err)
	}
	c.archive, c.r.Body = text, io.NopCloser(bytes.NewReader(before))
	return nil
}

// uploadFault words why a body could not be read.
func uploadFault(err error) error {
	var known *domain.Fault
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return err
	case errors.As(err, &tooLarge):
		return domain.NewFault(domain.TooLarge, "request-entity-too-large", "The request body is larger than %d bytes.", tooLarge.Limit)
	default:
		return domain.WrapFault(err, domain.Invalid, "invalid", "The archive broke off.")
	}
}

// putArchive hands the archive on as it comes; that of versions below 1.25 is the text
// itself. A host takes nothing of one that does not come to its end.
func putArchive(c *call) (any, error) {
	if archive.Given(c.r) {
		return putTar(c)
	}
	source := io.Reader(strings.NewReader(c.args.Text("data"))) // it came by the query
	if c.archive != nil {
		source = c.archive
	}
	if c.version.Has(api.ArchiveBase64) {
		source = base64.NewDecoder(base64.StdEncoding, source)
	}
	watched := &watched{from: source}
	err := c.Files.PutArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), watched)
	switch {
	case watched.err == nil:
		return nil, err
	case c.archive != nil && c.archive.Err() != nil:
		return nil, uploadFault(c.archive.Err())
	default:
		return nil, domain.WrapFault(watched.err, domain.Invalid, "base64-exception", "Invalid Base 64 file data")
	}
}

// watched remembers why its source did not come to its end.
type watched struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
	return n, err
}
