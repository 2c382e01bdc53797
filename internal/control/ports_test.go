package control_test

import (
	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/rest"
)

// Control carries out every use case that the front door declares.
var (
	_ rest.Containers   = (*control.Control)(nil)
	_ rest.Insides      = (*control.Control)(nil)
	_ rest.Files        = (*control.Control)(nil)
	_ rest.Records      = (*control.Control)(nil)
	_ rest.Fleet        = (*control.Control)(nil)
	_ rest.Limits       = (*control.Control)(nil)
	_ rest.RegistryBook = (*control.Control)(nil)
)
