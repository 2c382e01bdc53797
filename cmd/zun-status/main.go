// Command zun-status says whether this machine is ready for this release.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() { os.Exit(app.Status()) }
