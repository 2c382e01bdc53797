package rest

import (
	"net/http"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/archive"
	"github.com/go-zun/zun/internal/rest/schema"
)

// getArchive sends the archive as it comes from the host, so that its size does not
// matter to this process: as a tar where one is asked for, else in the form of the
// contract. Clients below 1.25 read it as text, which has to be held.
func getArchive(c *call) (any, error) {
	get := func(sink control.ByteSink) (domain.PathStat, error) {
		return c.Files.GetArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), sink)
	}
	var err error
	switch {
	case archive.Asked(c.r):
		err = archive.Send(c.w, get)
	case c.version.Has(api.ArchiveBase64):
		err = archive.SendJSON(c.w, c.route.Status, get)
	default:
		return archive.Text(c.Options.MaxLog, get)
	}
	if err != nil {
		return nil, err
	}
	return sent{}, nil
}

// openArchive takes the archive out of the body of put_archive, so that it goes through
// in pieces: what is left of the body is read as that of any other request.
func (c *call) openArchive() (err error) {
	if c.route.Args != schema.PutArchive || c.r.Body == nil || c.r.Body == http.NoBody || archive.Given(c.r) {
		return nil
	}
	c.archive, err = archive.Open(c.w, c.r, c.Options.MaxArchive)
	return err
}

// putArchive hands the archive on as it comes; that of versions below 1.25 is the text
// itself. A host takes nothing of one that does not come to its end.
func putArchive(c *call) (any, error) {
	put := func(source control.ByteSource) error {
		return c.Files.PutArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), source)
	}
	if archive.Given(c.r) {
		return nil, archive.Receive(c.w, c.r, put)
	}
	data := c.args.OptionalText("data")
	if data == nil {
		return nil, missing("data") // or nothing would be put, and called a success
	}
	upload := archive.Upload{Text: c.archive, Query: *data, Base64: c.version.Has(api.ArchiveBase64)}
	return nil, upload.Receive(put)
}
