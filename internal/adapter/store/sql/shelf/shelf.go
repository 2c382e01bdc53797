// Package shelf keeps what was read last within a bound of memory. What lies on it is
// shared by all who take it, so nobody may change it.
package shelf

import "sync"

// Shelf keeps values by key. It is safe for concurrent use.
type Shelf[K comparable, V any] struct {
	bound int

	mu sync.Mutex
	// Two halves instead of an order of use: once the recent one is full it becomes the
	// former one, and the former one is forgotten.
	recent, former map[K]V
	weight         int // of recent
}

// New returns a shelf that holds about bound bytes, as those who put things on it
// weigh them.
func New[K comparable, V any](bound int) *Shelf[K, V] {
	return &Shelf[K, V]{bound: bound / 2, recent: map[K]V{}, former: map[K]V{}}
}

// Take returns the value of key; false if it is not there.
func (s *Shelf[K, V]) Take(key K) (V, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if value, ok := s.recent[key]; ok {
		return value, true
	}
	value, ok := s.former[key]
	return value, ok
}

// Put lays value down, which weighs so many bytes. What is heavier than a small part
// of the shelf is not kept, because it would push away all the rest.
func (s *Shelf[K, V]) Put(key K, value V, weight int) {
	const part = 64
	if weight > s.bound/part {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.weight += weight; s.weight > s.bound {
		s.recent, s.former, s.weight = map[K]V{}, s.recent, weight
	}
	s.recent[key] = value
}
