// Command zun-api: the API, scheduler and loops of the containers service.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() {
	os.Exit(app.Main("zun-api", "The API, scheduler and loops of the containers service", app.API, app.HostToken(), app.DoorToken(), app.Rules(), app.ImageRules(), app.Seal(), app.People()))
}
