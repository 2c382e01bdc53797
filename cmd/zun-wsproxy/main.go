// Command zun-wsproxy: the console door, for deployments that keep it apart from the API.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() {
	os.Exit(app.Main("zun-wsproxy", "The console door of the containers service", app.ConsoleProxy))
}
