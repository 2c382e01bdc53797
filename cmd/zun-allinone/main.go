// Command zun-allinone: the containers service in one process.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() {
	os.Exit(app.Main("zun-allinone", "The containers service in one process", app.AllInOne, app.Teardown(), app.Rules(), app.ImageRules(), app.Seal(), app.People()))
}
