// Command zun-compute: the agent of one host.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() { os.Exit(app.Main("zun-compute", "The agent of one host", app.Compute, app.Leave())) }
