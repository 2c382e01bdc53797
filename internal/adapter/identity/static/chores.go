package static

import (
	"crypto/rand"
	"fmt"
	"slices"

	"golang.org/x/crypto/bcrypt"
)

// ResetPassword gives the named user of options.UsersFile a new random password and
// returns it. It is the way back when the log-in files are lost: only hashes are kept,
// so they cannot be written again. Files that stand are left alone, since they may hold
// other log-ins; tokens issued before stop working.
func ResetPassword(options Options, name string) (string, error) {
	password := rand.Text()
	return password, change(options, func(people *book) error {
		who := people.userNames[name]
		if who == nil {
			return fmt.Errorf("no user %q in %s", name, options.UsersFile)
		}
		hash, err := hashed(password, options.Cost)
		who.PasswordHash = hash
		return err
	})
}

// Grant gives the named user a role in the named project of options.UsersFile. A project
// or user that is not there yet is made; the password of a made user is returned, "" if
// there was one. The first project of a user becomes its default.
func Grant(options Options, name, where, role string) (string, error) {
	if name == "" || where == "" || role == "" {
		return "", fmt.Errorf("user %q, project %q and role %q must not be empty", name, where, role)
	}
	password := ""
	err := change(options, func(people *book) error {
		if people.projectNames[where] == nil {
			people.Projects = append(people.Projects, &project{ID: newID(), Name: where})
		}
		who := people.userNames[name]
		if who == nil {
			password = rand.Text()
			hash, err := hashed(password, options.Cost)
			if err != nil {
				return err
			}
			who = &user{ID: newID(), Name: name, PasswordHash: hash, Project: where}
			people.Users = append(people.Users, who)
		}
		if who.Roles == nil {
			who.Roles = map[string][]string{}
		}
		if !slices.Contains(who.Roles[where], role) {
			who.Roles[where] = append(who.Roles[where], role)
		}
		return nil
	})
	return password, err
}

// change rewrites the users file with what edit does to it, while no other process does.
func change(options Options, edit func(people *book) error) error {
	return locked(options.UsersFile, func() error {
		people, err := readBook(options.UsersFile)
		if err != nil {
			return err
		}
		if err := edit(people); err != nil {
			return err
		}
		return people.write(options.UsersFile)
	})
}

// hashed returns bcrypt's hash of password; a cost of 0 is bcrypt's default.
func hashed(password string, cost int) (string, error) {
	if cost == 0 {
		cost = bcrypt.DefaultCost
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}
