package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Keystone is an Authenticator that logs in at an identity service of version 3
// with a password, an application credential or a token, and finds the containers
// service in the catalog.
type Keystone struct {
	AuthURL string

	Username, UserID, Password                    string
	UserDomainName, UserDomainID                  string
	ProjectName, ProjectID                        string
	ProjectDomainName, ProjectDomainID            string
	ApplicationCredentialID, ApplicationCredName  string
	ApplicationCredentialSecret                   string
	GivenToken                                    string
	Region, Interface, ServiceType, EndpointGiven string

	// HTTP is the transport; nil means one with a timeout of half a minute.
	HTTP *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	mu       sync.Mutex
	token    string
	expires  time.Time
	endpoint string
}

// renewBefore is how long before its end a token is no longer handed out, so that
// it does not expire on the way.
const renewBefore = 30 * time.Second

// Token returns the present token, logging in if there is none that lasts.
func (k *Keystone) Token(ctx context.Context, stale string) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.token != "" && k.token != stale && k.now().Before(k.expires.Add(-renewBefore)) {
		return k.token, nil
	}
	if err := k.login(ctx); err != nil {
		return "", err
	}
	return k.token, nil
}

// Endpoint returns the containers endpoint of the catalog, or the one given.
func (k *Keystone) Endpoint(ctx context.Context) (string, error) {
	if k.EndpointGiven != "" {
		return k.EndpointGiven, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.endpoint == "" {
		if err := k.login(ctx); err != nil {
			return "", err
		}
	}
	if k.endpoint == "" {
		return "", fmt.Errorf("the catalog has no endpoint of service %q%s", k.serviceType(), inRegion(k.Region))
	}
	return k.endpoint, nil
}

func inRegion(region string) string {
	if region == "" {
		return ""
	}
	return " in region " + region
}

func (k *Keystone) now() time.Time {
	if k.Now != nil {
		return k.Now()
	}
	return time.Now()
}

func (k *Keystone) serviceType() string {
	if k.ServiceType != "" {
		return k.ServiceType
	}
	return "container"
}

type tokenAnswer struct {
	Token struct {
		ExpiresAt time.Time `json:"expires_at"`
		Catalog   []struct {
			Type, Name string
			Endpoints  []struct {
				Interface, URL string
				Region         string `json:"region_id"`
			}
		}
	}
}

func (k *Keystone) login(ctx context.Context) error {
	body, err := k.loginBody()
	if err != nil {
		return err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the login: %w", err)
	}
	base := strings.TrimRight(k.AuthURL, "/")
	if !strings.HasSuffix(base, "/v3") {
		base += "/v3"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/auth/tokens", bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("make the login: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	hc := k.HTTP
	if hc == nil {
		hc = &http.Client{Timeout: 30 * time.Second}
	}
	resp, err := homely(hc).Do(req)
	if err != nil {
		return fmt.Errorf("log in at %s: %w", k.AuthURL, plain(err))
	}
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("log in at %s: %w", k.AuthURL, refusal(resp))
	}
	defer func() { _ = resp.Body.Close() }()
	var answer tokenAnswer
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("read the token from %s: %w", k.AuthURL, err)
	}
	k.token, k.expires = resp.Header.Get("X-Subject-Token"), answer.Token.ExpiresAt
	if k.token == "" {
		return fmt.Errorf("log in at %s: the answer holds no token", k.AuthURL)
	}
	k.endpoint = k.pick(answer)
	return nil
}

func (k *Keystone) pick(answer tokenAnswer) string {
	wanted := strings.TrimSuffix(k.Interface, "URL") // publicURL and public mean the same
	if wanted == "" {
		wanted = "public"
	}
	for _, service := range answer.Token.Catalog {
		if service.Type != k.serviceType() {
			continue
		}
		for _, e := range service.Endpoints {
			if e.Interface == wanted && (k.Region == "" || e.Region == k.Region) {
				return e.URL
			}
		}
	}
	return ""
}

type object = map[string]any

func (k *Keystone) loginBody() (object, error) {
	if k.AuthURL == "" {
		return nil, errors.New("no identity service is named: set OS_AUTH_URL, or OS_CLOUD with a clouds.yaml")
	}
	identity, err := k.identity()
	if err != nil {
		return nil, err
	}
	auth := object{"identity": identity}
	if k.ApplicationCredentialSecret == "" { // an application credential carries its own scope
		switch {
		case k.ProjectID != "":
			auth["scope"] = object{"project": object{"id": k.ProjectID}}
		case k.ProjectName != "":
			auth["scope"] = object{"project": object{"name": k.ProjectName, "domain": domain(k.ProjectDomainID, k.ProjectDomainName)}}
		}
	}
	return object{"auth": auth}, nil
}

func (k *Keystone) identity() (object, error) {
	user := object{}
	if k.UserID != "" {
		user["id"] = k.UserID
	} else if k.Username != "" {
		user["name"], user["domain"] = k.Username, domain(k.UserDomainID, k.UserDomainName)
	}
	switch {
	case k.GivenToken != "":
		return object{"methods": []string{"token"}, "token": object{"id": k.GivenToken}}, nil
	case k.ApplicationCredentialSecret != "":
		credential := object{"secret": k.ApplicationCredentialSecret}
		if k.ApplicationCredentialID != "" {
			credential["id"] = k.ApplicationCredentialID
		} else {
			credential["name"], credential["user"] = k.ApplicationCredName, user
		}
		return object{"methods": []string{"application_credential"}, "application_credential": credential}, nil
	case len(user) > 0:
		user["password"] = k.Password
		return object{"methods": []string{"password"}, "password": object{"user": user}}, nil
	default:
		return nil, errors.New("no user is named: set OS_USERNAME and OS_PASSWORD, or OS_CLOUD with a clouds.yaml")
	}
}

func domain(id, name string) object {
	switch {
	case id != "":
		return object{"id": id}
	case name != "":
		return object{"name": name}
	default:
		return object{"id": "default"}
	}
}
