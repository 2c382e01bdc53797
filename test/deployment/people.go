package deployment

import (
	"path/filepath"
	"testing"

	"github.com/go-zun/zun/test/allinone"
)

// Person is a user with one role in one project.
type Person = allinone.Person

const password = allinone.Password

// Admin is the administrator, whom every deployment has.
func Admin() Person { return allinone.People()[0] }

func writePeople(t *testing.T, dir string, people []Person) {
	t.Helper()
	allinone.WriteUsers(t, filepath.Join(dir, "users.yaml"), append([]Person{Admin()}, people...))
}
