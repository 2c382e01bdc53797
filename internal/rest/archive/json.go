package archive

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/answer"
	"github.com/go-zun/zun/internal/rest/body"
	"github.com/go-zun/zun/internal/rest/view"
)

// SendJSON answers with what get gives, in base64 within JSON. An error is one from
// before the first byte; a later one cuts the connection.
func SendJSON(w http.ResponseWriter, status int, get Get) error {
	out, release := bounding(w)
	defer release()
	var encoder io.WriteCloser
	begin := func() error {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		encoder = base64.NewEncoder(base64.StdEncoding, out)
		_, err := io.WriteString(out, `{"data":"`)
		return err
	}
	stat, err := get(func(chunk []byte) error {
		if encoder == nil {
			if err := begin(); err != nil {
				return err
			}
		}
		_, err := encoder.Write(chunk)
		return err
	})
	switch {
	case err != nil && encoder == nil:
		return err
	case err != nil:
		panic(http.ErrAbortHandler) // the client must see that the archive is cut
	case encoder == nil:
		shown := view.PathStat(stat)
		answer.Send(w, status, api.Archive{Stat: &shown})
		return nil
	}
	end(w, encoder, stat)
	return nil
}

func end(w io.Writer, encoder io.Closer, stat domain.PathStat) {
	text, err := json.Marshal(view.PathStat(stat))
	if err != nil || encoder.Close() != nil {
		panic(http.ErrAbortHandler) // the client must see that the archive is cut
	}
	_, _ = w.Write([]byte(`","stat":` + string(text) + "}\n")) // the client is gone; nobody is left to be told
}

// Text is the archive as clients below 1.25 read it: its bytes as text, of which at
// most bound are held.
func Text(bound int64, get Get) (any, error) {
	var data bytes.Buffer
	stat, err := get(func(chunk []byte) error {
		if int64(data.Len()+len(chunk)) > bound {
			return domain.NewFault(domain.TooLarge, "archive-too-large", "The archive is larger than %d bytes; use version 1.25.", bound)
		}
		data.Write(chunk)
		return nil
	})
	if err != nil {
		return nil, err
	}
	shown := view.PathStat(stat)
	return api.Archive{Data: data.String(), Stat: &shown}, nil
}

// beside bounds what stands beside the archive in a body.
const beside = 64 << 10

// Open takes the archive of at most bound bytes out of the body of r, which is left
// with what stands before it. A client that sends nothing for too long ends it.
func Open(w http.ResponseWriter, r *http.Request, bound int64) (*body.Text, error) {
	bounded := &patient{from: http.MaxBytesReader(w, r.Body, bound), bounds: http.NewResponseController(w)}
	before, text, err := body.Split(bounded, "data", beside)
	if err != nil {
		return nil, broken(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(before))
	return text, nil
}

// broken words why a body could not be read.
func broken(err error) error {
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

// Upload is an archive that comes within JSON, or by the query.
type Upload struct {
	Text   *body.Text // nil: it came by the query
	Query  string
	Base64 bool
}

// Receive hands put the archive as it comes.
func (u Upload) Receive(put func(control.ByteSource) error) error {
	source := io.Reader(strings.NewReader(u.Query))
	if u.Text != nil {
		source = u.Text
	}
	if u.Base64 {
		source = base64.NewDecoder(base64.StdEncoding, source)
	}
	watched := &watched{from: source}
	err := put(watched)
	switch {
	case watched.err == nil:
		return err
	case u.Text != nil && u.Text.Err() != nil:
		return broken(u.Text.Err())
	default:
		return domain.WrapFault(watched.err, domain.Invalid, "base64-exception", "Invalid Base 64 file data")
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
