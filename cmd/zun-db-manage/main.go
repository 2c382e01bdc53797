// Command zun-db-manage looks after the schema of the database.
package main

import (
	"os"

	"github.com/go-zun/zun/internal/app"
)

func main() { os.Exit(app.ManageDatabase()) }
