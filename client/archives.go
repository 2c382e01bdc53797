package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-zun/zun/api"
)

// tarMedia is an archive as it is. Services that do not know it put archives as base64
// into JSON, and an archive that comes so is held in memory as a whole.
const tarMedia = "application/x-tar"

// tarForm says how archives travel to a service.
type tarForm int

const (
	unknownForm tarForm = iota
	plainForm
	jsonForm
)

// GetArchive returns what is at path in a container as a tar, which the caller reads
// and closes. An archive that is cut on the way is an error of the reading.
func (c *Client) GetArchive(ctx context.Context, ident, path string) (io.ReadCloser, error) {
	r := call{method: http.MethodGet, path: item(ident) + "/get_archive", query: url.Values{"path": {path}}, accept: tarMedia + ", application/json;q=0.5"}
	answer, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	if media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil && media == tarMedia {
		c.learn(plainForm)
		return answer.Body, nil
	}
	defer func() { _ = answer.Body.Close() }()
	c.learn(jsonForm)
	return c.unwrap(ctx, answer.Body)
}

// unwrap reads the form of the contract.
func (c *Client) unwrap(ctx context.Context, body io.Reader) (io.ReadCloser, error) {
	if version, err := c.Version(ctx); err != nil || !version.Has(api.ArchiveBase64) {
		return nil, errors.Join(err, errors.New("this service needs version 1.25 or newer to copy files"))
	}
	var archive api.Archive
	if err := json.NewDecoder(body).Decode(&archive); err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	tar, err := base64.StdEncoding.DecodeString(archive.Data)
	if err != nil {
		return nil, fmt.Errorf("read the archive: %w", err)
	}
	return io.NopCloser(bytes.NewReader(tar)), nil
}

// PutArchive unpacks the tar from source in the directory path of a container. It is
// read as it is sent, in no more memory than that takes.
func (c *Client) PutArchive(ctx context.Context, ident, path string, source io.Reader) error {
	form, err := c.form(ctx, ident, path)
	if err != nil {
		return err
	}
	r := call{method: http.MethodPost, path: item(ident) + "/put_archive", query: url.Values{"path": {path}}, accept: "application/json"}
	if form == plainForm {
		r.stream, r.media = source, tarMedia
		return c.do(ctx, r, nil)
	}
	r.media = "application/json"
	r.stream = io.MultiReader(strings.NewReader(`{"data":"`), &encoded{from: source}, strings.NewReader(`"}`))
	return c.do(ctx, r, nil)
}

// encoded reads from as base64.
type encoded struct {
	from  io.Reader
	raw   [24 << 10]byte // a multiple of three, so that only the end is padded
	text  []byte
	ended error
}

// Read implements io.Reader.
func (e *encoded) Read(p []byte) (int, error) {
	for len(e.text) == 0 {
		if e.ended != nil {
			return 0, e.ended
		}
		n, err := io.ReadFull(e.from, e.raw[:])
		e.text = base64.StdEncoding.AppendEncode(e.text[:0], e.raw[:n])
		if e.ended = err; errors.Is(err, io.ErrUnexpectedEOF) {
			e.ended = io.EOF
		}
	}
	n := copy(p, e.text)
	e.text = e.text[n:]
	return n, nil
}

// form asks once how archives travel, by beginning to read the directory.
func (c *Client) form(ctx context.Context, ident, path string) (tarForm, error) {
	if known := c.learned(); known != unknownForm {
		return known, nil
	}
	archive, err := c.GetArchive(ctx, ident, path)
	if err != nil {
		return unknownForm, err
	}
	_ = archive.Close() // it was only begun
	return c.learned(), nil
}

func (c *Client) learn(form tarForm) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.archives = form
}

func (c *Client) learned() tarForm {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.archives
}
