package view

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// Image shows the record of a pull.
func Image(b Base, i domain.Image) api.Image {
	return api.Image{
		UUID: i.ID, Links: b.Links("images", i.ID), ImageID: text(i.ImageID), Repo: i.Repo, Tag: i.Tag,
		Size: text(i.Size), ProjectID: i.ProjectID, Host: i.HostName,
	}
}

// FoundImages shows the results of a search.
func FoundImages(found []domain.FoundImage) []api.FoundImage {
	shown := make([]api.FoundImage, 0, len(found))
	for _, i := range found {
		shown = append(shown, api.FoundImage{
			Name: i.Name, Description: i.Description, IsAutomated: i.Automated,
			Metadata: api.FoundImageMetadata{IsOfficial: i.Official, StarCount: i.Stars},
		})
	}
	return shown
}
