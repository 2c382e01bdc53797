package stream

import (
	"sync"
)

// Bounds are how many may be in a crowd at once; 0 is no bound.
type Bounds struct {
	PerContainer, PerProject, Total int
}

// Crowd counts the open streams of one kind in this process.
type Crowd struct {
	bounds Bounds

	mu         sync.Mutex
	total      int
	containers map[string]int
	projects   map[string]int
}

// NewCrowd returns an empty crowd.
func NewCrowd(b Bounds) *Crowd {
	return &Crowd{bounds: b, containers: map[string]int{}, projects: map[string]int{}}
}

// Join counts one in that follows container for a user of project; full names what has
// its fill. Otherwise leave counts it out again and is called once.
func (c *Crowd) Join(project, container string) (leave func(), full string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reached := func(count, bound int) bool { return bound > 0 && count >= bound }
	switch {
	case reached(c.containers[container], c.bounds.PerContainer):
		return nil, "container"
	case reached(c.projects[project], c.bounds.PerProject):
		return nil, "project"
	case reached(c.total, c.bounds.Total):
		return nil, "service"
	}
	c.total++
	c.containers[container]++
	c.projects[project]++
	return func() { c.leave(project, container) }, ""
}

// leave forgets what is at zero, so that the maps stay as small as the crowd.
func (c *Crowd) leave(project, container string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.containers[container]--; c.containers[container] == 0 {
		delete(c.containers, container)
	}
	if c.projects[project]--; c.projects[project] == 0 {
		delete(c.projects, project)
	}
}
