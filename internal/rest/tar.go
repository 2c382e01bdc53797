package rest

import (
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/rest/archive"
)

// getTar sends an archive as it comes from the host.
func getTar(c *call) (any, error) {
	err := archive.Send(c.w, func(sink control.ByteSink) error {
		_, err := c.Files.GetArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), sink)
		return err
	})
	if err != nil {
		return nil, err
	}
	return sent{}, nil
}

// putTar passes the body on as it comes.
func putTar(c *call) (any, error) {
	return nil, archive.Receive(c.w, c.r, func(source control.ByteSource) error {
		return c.Files.PutArchive(c.ctx(), c.actor, c.ref, c.args.Text("path"), source)
	})
}
