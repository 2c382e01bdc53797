package static

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// login is one set of words that a client logs in with.
type login struct {
	cloud, user, project, password string
}

// firstStart makes admin and demo if there is no users file. The users file is written
// last, because it makes the passwords valid: a crash before it only means that the
// next start makes new ones and writes the log-in files again.
func firstStart(options Options) error {
	return locked(options.UsersFile, func() error {
		if exists(options.UsersFile) {
			return nil
		}
		logins := []login{
			{cloud: "zun", user: "admin", project: "admin", password: rand.Text()},
			{cloud: "zun-demo", user: "demo", project: "demo", password: rand.Text()},
		}
		people, err := firstUsers(logins, options.Cost)
		if err != nil {
			return err
		}
		if err := writeLogins(options, logins); err != nil {
			return err
		}
		return people.write(options.UsersFile)
	})
}

func firstUsers(logins []login, cost int) (ledger, error) {
	roles := map[string]string{"admin": "admin", "demo": "member"}
	var l ledger
	for _, who := range logins {
		hash, err := hashed(who.password, cost)
		if err != nil {
			return ledger{}, err
		}
		l.Projects = append(l.Projects, &project{ID: newID(), Name: who.project})
		l.Users = append(l.Users, &user{ID: newID(), Name: who.user, PasswordHash: hash, Project: who.project,
			Roles: map[string][]string{who.project: {roles[who.user]}}})
	}
	return l, nil
}

// newID returns a random id in Keystone's form, 32 hexadecimal digits.
func newID() string {
	return hex.EncodeToString(randomBytes(16))
}

// randomBytes needs no error: the Go runtime ends a process whose system has no randomness.
func randomBytes(n int) []byte {
	random := make([]byte, n)
	_, _ = rand.Read(random)
	return random
}

// writeLogins writes openrc for the first login and clouds.yaml for all.
func writeLogins(options Options, logins []login) error {
	var faults []error
	if options.OpenRCFile != "" {
		faults = append(faults, replace(options.OpenRCFile, openRC(options, logins[0])))
	}
	if options.CloudsFile != "" {
		content, err := clouds(options, logins)
		if err == nil {
			err = replace(options.CloudsFile, content)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func openRC(options Options, who login) []byte {
	var out bytes.Buffer
	out.WriteString("# Log-in of the built-in identity for zun and openstack: source this file.\n")
	for _, pair := range [][2]string{
		{"OS_AUTH_URL", options.IdentityURL + "/v3"}, {"OS_USERNAME", who.user}, {"OS_PASSWORD", who.password},
		{"OS_PROJECT_NAME", who.project}, {"OS_USER_DOMAIN_NAME", domainName}, {"OS_PROJECT_DOMAIN_NAME", domainName},
		{"OS_REGION_NAME", options.Region}, {"OS_IDENTITY_API_VERSION", "3"}, {"OS_AUTH_TYPE", "password"},
	} {
		fmt.Fprintf(&out, "export %s='%s'\n", pair[0], strings.ReplaceAll(pair[1], "'", `'\''`))
	}
	return out.Bytes()
}

// cloud is one entry of clouds.yaml.
type cloud struct {
	Auth struct {
		AuthURL       string `yaml:"auth_url"`
		Username      string `yaml:"username"`
		Password      string `yaml:"password"`
		ProjectName   string `yaml:"project_name"`
		UserDomain    string `yaml:"user_domain_name"`
		ProjectDomain string `yaml:"project_domain_name"`
	} `yaml:"auth"`
	Region   string `yaml:"region_name"`
	Identity string `yaml:"identity_api_version"`
}

func clouds(options Options, logins []login) ([]byte, error) {
	all := map[string]cloud{}
	for _, who := range logins {
		c := cloud{Region: options.Region, Identity: "3"}
		c.Auth.AuthURL, c.Auth.Username, c.Auth.Password = options.IdentityURL+"/v3", who.user, who.password
		c.Auth.ProjectName, c.Auth.UserDomain, c.Auth.ProjectDomain = who.project, domainName, domainName
		all[who.cloud] = c
	}
	content, err := yaml.Marshal(map[string]any{"clouds": all})
	if err != nil {
		return nil, fmt.Errorf("encode clouds: %w", err)
	}
	return content, nil
}
