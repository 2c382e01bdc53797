package rest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/schema"
)

// tarMedia is an archive as it is, for clients that ask for it or send it by name: the
// form of the contract, base64 within JSON, has to be held as a whole by many of them.
const tarMedia = "application/x-tar"

// tarPatience is how long a client may take or send nothing of an archive.
const tarPatience = time.Minute

func asksTar(r *http.Request) bool {
	for entry := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if media, _, err := mime.ParseMediaType(entry); err == nil && media == tarMedia {
			return true
		}
	}
	return false
}

// sendsTar says that the body is an archive, which is not read before it is passed on.
func sendsTar(r *http.Request, route Route) bool {
	if route.Args != schema.PutArchive {
		return false
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == tarMedia
}

// getTar sends an archive as it comes from the host. An error after the first byte can
// only cut the answer.
func getTar(c *call) (any, error) {
	control := http.NewResponseController(c.w)
	defer func() { _ = control.SetWriteDeadline(time.Time{}) }() // one that cannot be bounded was not
	begun := false
	_, err := c.Files.GetArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), func(chunk []byte) error {
		if !begun {
			c.w.Header().Set("Content-Type", tarMedia)
			c.w.WriteHeader(c.route.Status)
			begun = true
		}
		if err := control.SetWriteDeadline(time.Now().Add(tarPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return fmt.Errorf("bound the sending of an archive: %w", err)
		}
		_, err := c.w.Write(chunk)
		return err
	})
	switch {
	case err != nil && !begun:
		return nil, err
	case err != nil:
		panic(http.ErrAbortHandler) // the client must see that the archive is cut
	}
	return sent{}, nil
}

// putTar passes the body on as it comes.
func putTar(c *call) (any, error) {
	control := http.NewResponseController(c.w)
	defer func() { _ = control.SetReadDeadline(time.Time{}) }() // one that cannot be bounded was not
	source := &patient{from: c.r.Body, control: control}
	err := c.Files.PutArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), source)
	if source.broken != nil && c.ctx().Err() == nil {
		return nil, domain.WrapFault(source.broken, domain.Invalid, "invalid", "The archive broke off.")
	}
	return nil, err
}

// patient reads a body that must not stand still.
type patient struct {
	from    io.Reader
	control *http.ResponseController
	broken  error
}

// Read implements io.Reader.
func (p *patient) Read(b []byte) (int, error) {
	if err := p.control.SetReadDeadline(time.Now().Add(tarPatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, fmt.Errorf("bound the reading of an archive: %w", err)
	}
	n, err := p.from.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.broken = err
	}
	return n, err
}
