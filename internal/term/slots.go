package term

import (
	"sync"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// slots counts the consoles open at this door, so that one project or container
// cannot fill it.
type slots struct {
	perContainer, perProject int

	mu         sync.Mutex
	containers map[domain.ContainerID]int
	projects   map[string]int
}

func newSlots(perContainer, perProject int) *slots {
	return &slots{
		perContainer: perContainer, perProject: perProject,
		containers: map[domain.ContainerID]int{}, projects: map[string]int{},
	}
}

// take counts v in; TooLarge when its container or project has its fill.
func (s *slots) take(v control.Visit) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perContainer > 0 && s.containers[v.Container] >= s.perContainer {
		return domain.NewFault(domain.TooLarge, "too-many-consoles", "the container has %d consoles open, which is the limit", s.perContainer)
	}
	if s.perProject > 0 && s.projects[v.ProjectID] >= s.perProject {
		return domain.NewFault(domain.TooLarge, "too-many-consoles", "the project has %d consoles open, which is the limit", s.perProject)
	}
	s.containers[v.Container]++
	s.projects[v.ProjectID]++
	return nil
}

// give counts v out again. What is at zero is forgotten, so that the maps stay as
// small as the number of open consoles.
func (s *slots) give(v control.Visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.containers[v.Container]--; s.containers[v.Container] == 0 {
		delete(s.containers, v.Container)
	}
	if s.projects[v.ProjectID]--; s.projects[v.ProjectID] == 0 {
		delete(s.projects, v.ProjectID)
	}
}
