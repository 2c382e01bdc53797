package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
	"github.com/go-zun/zun/internal/cli/trace"
)

// credential is one setting of who is calling: an option, an environment variable
// and a key of clouds.yaml that mean the same.
type credential struct {
	option string // without the leading --os-
	key    string // in the auth section of clouds.yaml
	help   string
}

var credentials = []credential{ //nolint:gochecknoglobals // a constant table
	{"auth-url", "auth_url", "URL of the identity service"},
	{"username", "username", "name of the user"},
	{"user-id", "user_id", "id of the user"},
	{"password", "password", "password of the user"},
	{"token", "token", "a token instead of a password"},
	{"project-name", "project_name", "project to work in"},
	{"project-id", "project_id", "id of the project to work in"},
	{"user-domain-name", "user_domain_name", "domain of the user"},
	{"user-domain-id", "user_domain_id", "id of the user's domain"},
	{"project-domain-name", "project_domain_name", "domain of the project"},
	{"project-domain-id", "project_domain_id", "id of the project's domain"},
	{"application-credential-id", "application_credential_id", "application credential to log in with"},
	{"application-credential-name", "application_credential_name", "name of the application credential"},
	{"application-credential-secret", "application_credential_secret", "its secret"},
}

// settings are the global options of the command.
type settings struct {
	env map[string]string

	cloud, region, iface, serviceType, bypass, version string
	cacert, cert, key                                  string
	insecure, debug                                    bool
	given                                              map[string]*string // by credential.key
}

func newSettings(env map[string]string) *settings {
	return &settings{env: env, given: map[string]*string{}}
}

func (s *settings) flags(f *pflag.FlagSet) {
	for _, c := range credentials {
		s.given[c.key] = f.String("os-"+c.option, s.environment(c.key), c.help+" (OS_"+strings.ToUpper(c.key)+")")
	}
	f.StringVar(&s.cloud, "os-cloud", s.env["OS_CLOUD"], "entry of clouds.yaml to use (OS_CLOUD)")
	f.StringVar(&s.region, "os-region-name", s.env["OS_REGION_NAME"], "region of the catalog (OS_REGION_NAME)")
	f.StringVar(&s.iface, "endpoint-type", first(s.env["OS_INTERFACE"], s.env["OS_ENDPOINT_TYPE"]), "interface of the catalog: public, internal or admin (OS_INTERFACE)")
	f.StringVar(&s.serviceType, "service-type", "container", "service type in the catalog")
	f.StringVar(&s.bypass, "bypass-url", first(s.env["BYPASS_URL"], s.env["ZUNCLIENT_BYPASS_URL"]), "endpoint to use instead of the catalog's (BYPASS_URL)")
	f.StringVar(&s.version, "zun-api-version", first(s.env["ZUN_API_VERSION"], "1.latest"), "microversion to speak: 1.N or 1.latest (ZUN_API_VERSION)")
	f.StringVar(&s.cacert, "os-cacert", s.env["OS_CACERT"], "file of trusted certificates (OS_CACERT)")
	f.StringVar(&s.cert, "os-cert", s.env["OS_CERT"], "client certificate (OS_CERT)")
	f.StringVar(&s.key, "os-key", s.env["OS_KEY"], "key of the client certificate (OS_KEY)")
	f.BoolVar(&s.insecure, "insecure", false, "do not check the server's certificate")
	f.BoolVar(&s.debug, "debug", false, "show requests and answers on standard error")
}

// environment reads OS_<KEY>, with the older words for a project.
func (s *settings) environment(key string) string {
	name := "OS_" + strings.ToUpper(key)
	return first(s.env[name], s.env[strings.Replace(name, "OS_PROJECT_", "OS_TENANT_", 1)])
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// client makes the client that the settings describe. It makes no call.
func (s *settings) client(streams Streams) (*client.Client, error) {
	if err := s.readCloud(); err != nil {
		return nil, err
	}
	transport, err := s.transport()
	if err != nil {
		return nil, err
	}
	var rt http.RoundTripper = transport
	if s.debug {
		rt = trace.Tripper{Next: transport, To: streams.Err}
	}
	hc := &http.Client{Transport: rt, Timeout: 2 * time.Minute}
	version, err := s.wantedVersion()
	if err != nil {
		return nil, err
	}
	get := func(key string) string { return *s.given[key] }
	auth := &client.Keystone{
		AuthURL: get("auth_url"), Username: get("username"), UserID: get("user_id"), Password: get("password"),
		GivenToken: get("token"), UserDomainName: get("user_domain_name"), UserDomainID: get("user_domain_id"),
		ProjectName: get("project_name"), ProjectID: get("project_id"),
		ProjectDomainName: get("project_domain_name"), ProjectDomainID: get("project_domain_id"),
		ApplicationCredentialID: get("application_credential_id"), ApplicationCredName: get("application_credential_name"),
		ApplicationCredentialSecret: get("application_credential_secret"),
		Region:                      s.region, Interface: s.iface, ServiceType: s.serviceType, EndpointGiven: s.bypass, HTTP: hc,
	}
	return client.New(client.Options{Auth: auth, HTTP: hc, Version: version}), nil
}

func (s *settings) wantedVersion() (api.Version, error) {
	switch s.version {
	case "", "latest", "1.latest", "1":
		return api.Version{}, nil
	}
	v, err := api.ParseVersion(s.version)
	if err != nil || v.Before(api.MinVersion) || api.MaxVersion.Before(v) {
		return v, fmt.Errorf("%q is no API version that this client speaks: use %s to %s, or 1.latest", s.version, api.MinVersion, api.MaxVersion)
	}
	return v, nil
}

func (s *settings) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.insecure} //nolint:gosec // the user asked for it by name
	if s.cacert != "" {
		pem, err := os.ReadFile(s.cacert)
		if err != nil {
			return nil, fmt.Errorf("read the trusted certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", s.cacert)
		}
	}
	if s.cert != "" {
		pair, err := tls.LoadX509KeyPair(s.cert, first(s.key, s.cert))
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.TLSClientConfig = config
	return t, nil
}

type cloudsFile struct {
	Clouds map[string]struct {
		Auth       map[string]string `yaml:"auth"`
		RegionName string            `yaml:"region_name"`
		Interface  string            `yaml:"interface"`
		CACert     string            `yaml:"cacert"`
		Verify     *bool             `yaml:"verify"`
	} `yaml:"clouds"`
}

// readCloud fills from clouds.yaml what neither an option nor the environment gave.
func (s *settings) readCloud() error {
	if s.cloud == "" {
		return nil
	}
	data, err := s.findClouds()
	if err != nil {
		return err
	}
	var file cloudsFile
	if err := yaml.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("read clouds.yaml: %w", err)
	}
	cloud, ok := file.Clouds[s.cloud]
	if !ok {
		return fmt.Errorf("clouds.yaml has no cloud called %q", s.cloud)
	}
	for key, value := range cloud.Auth {
		if to := s.given[key]; to != nil && *to == "" {
			*to = value
		}
	}
	s.region, s.iface, s.cacert = first(s.region, cloud.RegionName), first(s.iface, cloud.Interface), first(s.cacert, cloud.CACert)
	if cloud.Verify != nil && !*cloud.Verify {
		s.insecure = true
	}
	return nil
}

func (s *settings) findClouds() ([]byte, error) {
	home := s.env["HOME"]
	places := []string{"clouds.yaml", filepath.Join(first(s.env["XDG_CONFIG_HOME"], filepath.Join(home, ".config")), "openstack", "clouds.yaml"), "/etc/openstack/clouds.yaml"}
	if named := s.env["OS_CLIENT_CONFIG_FILE"]; named != "" {
		places = []string{named}
	}
	for _, place := range places {
		data, err := os.ReadFile(place)
		if err == nil {
			return data, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("read clouds.yaml: %w", err)
		}
	}
	return nil, fmt.Errorf("no clouds.yaml in %s", strings.Join(places, ", "))
}
