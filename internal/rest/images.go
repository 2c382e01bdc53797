package rest

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/view"
)

func listImages(c *call) (any, error) {
	page, err := c.page("id")
	if err != nil {
		return nil, err
	}
	rows, err := c.Images.Images(c.ctx(), control.ImageQuery{
		OwnOf: c.actor.ProjectID, Pulled: c.Policy.Allowed("image:get_all", c.actor, c.self()), Page: page,
	})
	if err != nil {
		return nil, err
	}
	list := api.ImageList{Images: make([]api.Image, 0, len(rows))}
	for _, row := range rows {
		list.Images = append(list.Images, c.image(row))
	}
	if len(rows) > 0 {
		list.Next = c.next("images", page, len(rows), rows[len(rows)-1].ID)
	}
	return list, nil
}

// pullImage reads the tag out of repo alone: the member tag was always overwritten.
func pullImage(c *call) (any, error) {
	row, err := c.Images.PullImage(c.ctx(), c.actor, c.args.Text("repo"), c.args.Text("host"))
	if err != nil {
		return nil, err
	}
	c.located("images", row.ID)
	return c.image(row), nil
}

// image shows a record, with extensions also how far its pull is.
func (c *call) image(row domain.Image) api.Image {
	shown := view.Image(c.base(), row)
	if c.Options.Extensions && row.Task == domain.ImagePull {
		shown.Progress = &api.PullProgress{Done: row.DoneBytes, Total: row.TotalBytes}
	}
	return shown
}

// imageOf finds the image of the route. What a project committed is its own: whoever is
// not in it learns nothing of it. All else is an administrator's, by rule.
func (c *call) imageOf(rule string) (domain.Image, error) {
	id := c.r.PathValue("ident")
	row, err := c.Images.Image(c.ctx(), id)
	if err == nil && row.Source != "" && row.ProjectID == c.actor.ProjectID && row.Task != domain.ImageDelete {
		return row, nil
	}
	if denied := c.allow(rule, c.self()); denied != nil {
		return row, denied
	}
	if err == nil && row.Source != "" {
		err = domain.NewFault(domain.Invalid, "image-not-found", "Image %s could not be found.", id)
	}
	return row, err
}

func showImage(c *call) (any, error) {
	row, err := c.imageOf("image:get_one")
	if err != nil {
		return nil, err
	}
	return c.image(row), nil
}

func deleteImage(c *call) (any, error) {
	row, err := c.imageOf("image:delete")
	if err != nil {
		return nil, err
	}
	if row.Source != "" {
		return nil, c.Snapshots.Discard(c.ctx(), c.actor.ProjectID, row.ID)
	}
	return nil, c.Images.DeleteImage(c.ctx(), row.ID)
}

func searchImages(c *call) (any, error) {
	if driver := c.args.Text("image_driver"); driver == "glance" {
		return nil, domain.NewFault(domain.Unsupported, "operation-not-supported", "No image service is configured that could be searched.")
	}
	found, err := c.Images.SearchImages(c.ctx(), c.r.PathValue("ident"), c.args.Boolean("exact_match", false))
	if err != nil {
		return nil, err
	}
	return view.FoundImages(found), nil
}
