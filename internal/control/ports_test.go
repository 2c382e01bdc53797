package control_test

import (
	"github.com/go-zun/zun/internal/control/books"
	"github.com/go-zun/zun/internal/control/containers"
	"github.com/go-zun/zun/internal/control/fleet"
	"github.com/go-zun/zun/internal/control/insides"
	"github.com/go-zun/zun/internal/control/wiring"
	"github.com/go-zun/zun/internal/rest"
)

// The rooms carry out every use case that the front door declares.
var (
	_ rest.Containers   = (*containers.Containers)(nil)
	_ rest.Wiring       = (*wiring.Wiring)(nil)
	_ rest.Insides      = (*insides.Insides)(nil)
	_ rest.Files        = (*insides.Insides)(nil)
	_ rest.Records      = (*books.Books)(nil)
	_ rest.Feed         = (*books.Books)(nil)
	_ rest.Limits       = (*books.Books)(nil)
	_ rest.RegistryBook = (*books.Books)(nil)
	_ rest.Fleet        = (*fleet.Fleet)(nil)
)
