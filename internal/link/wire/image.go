package wire

import (
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/gen/linkv1"
)

// FromImageOrder puts o, which the host hostID shall carry out, on the wire.
func FromImageOrder(hostID string, o domain.ImageOrder) *linkv1.PullImageRequest {
	return &linkv1.PullImageRequest{HostId: hostID, Reference: o.Reference, ProjectId: o.ProjectID, Secret: fromSecret(o.Secret), Keys: o.Keys}
}

// ToImageOrder reads m.
func ToImageOrder(m *linkv1.PullImageRequest) domain.ImageOrder {
	return domain.ImageOrder{Reference: m.GetReference(), ProjectID: m.GetProjectId(), Secret: toSecret(m.GetSecret()), Keys: m.GetKeys()}
}

// FromLocalImage puts i on the wire.
func FromLocalImage(i domain.LocalImage) *linkv1.LocalImage {
	return &linkv1.LocalImage{Id: i.ID, Size: i.Size}
}

// ToLocalImage reads m.
func ToLocalImage(m *linkv1.LocalImage) domain.LocalImage {
	return domain.LocalImage{ID: m.GetId(), Size: m.GetSize()}
}

// FromFoundImages puts found on the wire.
func FromFoundImages(found []domain.FoundImage) *linkv1.SearchImagesReply {
	return &linkv1.SearchImagesReply{Images: each(found, func(i domain.FoundImage) *linkv1.FoundImage {
		return &linkv1.FoundImage{Name: i.Name, Description: i.Description, Official: i.Official, Automated: i.Automated, Stars: int64(i.Stars)}
	})}
}

// ToFoundImages reads m.
func ToFoundImages(m *linkv1.SearchImagesReply) []domain.FoundImage {
	return each(m.GetImages(), func(i *linkv1.FoundImage) domain.FoundImage {
		return domain.FoundImage{
			Name: i.GetName(), Description: i.GetDescription(),
			Official: i.GetOfficial(), Automated: i.GetAutomated(), Stars: int(i.GetStars()),
		}
	})
}
