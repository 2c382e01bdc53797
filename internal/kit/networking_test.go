package kit_test

import (
	"log/slog"
	"testing"

	"github.com/go-zun/zun/internal/adapter/network/local"
	"github.com/go-zun/zun/internal/adapter/network/nettest"
	"github.com/go-zun/zun/internal/adapter/store/storetest"
	"github.com/go-zun/zun/internal/domain"
)

// TestLocalNetworksOnTheStore runs the networking suite where two adapters meet, which
// neither of them may do: the built-in networks on the real store.
func TestLocalNetworksOnTheStore(t *testing.T) {
	nettest.RunNetworking(t, func(t *testing.T) nettest.Cloud {
		l, err := local.New(storetest.Open(t), local.Options{Deployment: "deployment-one"}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return nettest.Cloud{
			Networking: l,
			Actor:      domain.Actor{UserID: "alice", ProjectID: "project-a"},
			Stranger:   domain.Actor{UserID: "bob", ProjectID: "project-b"},
		}
	})
}
