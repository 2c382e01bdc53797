package main

import (
	"context"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// nowhere is a network service that any request suits.
type nowhere struct{ control.Networking }

// Resolve implements control.Networking.
func (nowhere) Resolve(context.Context, domain.Actor, []domain.NetRequest) ([]domain.NetChoice, error) {
	return []domain.NetChoice{{NetworkID: "bench"}}, nil
}

// deaf is a fleet that hears no wake.
type deaf struct{ control.Nodes }

// Wake implements control.Nodes.
func (deaf) Wake(domain.Host, int64) {}
