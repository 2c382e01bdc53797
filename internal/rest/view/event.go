package view

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// FeedEvent shows one notice of the feed.
func FeedEvent(n domain.Notice) api.FeedEvent {
	resource := "container"
	if n.Kind == domain.KindCapsule {
		resource = "capsule"
	}
	return api.FeedEvent{
		ID: n.ID, Name: n.Name, At: spaced(n.At), Resource: resource, UUID: string(n.Container), ProjectID: n.ProjectID,
		Status: string(n.Status), StatusReason: text(n.Reason), RequestID: text(n.RequestID),
	}
}
