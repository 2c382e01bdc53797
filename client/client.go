package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-zun/zun/api"
)

// Authenticator gives a token and the endpoint of the containers service. Both
// calls are safe for concurrent use and cheap when nothing changed.
type Authenticator interface {
	// Token returns a valid token; "" sends none. stale is a token that the server
	// just refused and that must not be returned again; "" at the first call.
	Token(ctx context.Context, stale string) (string, error)
	// Endpoint returns the base URL, with or without a trailing /v1.
	Endpoint(ctx context.Context) (string, error)
}

// Options configure a Client.
type Options struct {
	Auth Authenticator
	// HTTP is the transport; nil means one with a timeout of a minute.
	HTTP *http.Client
	// Version is the microversion to speak; zero: the newest that both sides know.
	Version api.Version
}

// Client calls one containers service. It is safe for concurrent use.
type Client struct {
	auth Authenticator
	http *http.Client

	mu       sync.Mutex
	version  api.Version // guarded by mu; zero until negotiated
	archives tarForm     // guarded by mu
}

// New returns a Client. It makes no call.
func New(o Options) *Client {
	hc := o.HTTP
	if hc == nil {
		hc = &http.Client{Timeout: time.Minute}
	}
	return &Client{auth: o.Auth, http: homely(hc), version: o.Version}
}

// homely returns hc as one that follows redirects within one server only, unless its
// owner decided otherwise: net/http would carry the token to wherever a redirect leads,
// and send a log-in once more there.
func homely(hc *http.Client) *http.Client {
	if hc.CheckRedirect != nil {
		return hc
	}
	own := *hc
	own.CheckRedirect = func(next *http.Request, via []*http.Request) error {
		from := via[0].URL
		switch {
		case !strings.EqualFold(next.URL.Hostname(), from.Hostname()), from.Scheme == "https" && next.URL.Scheme != "https":
			return fmt.Errorf("the server leads to %s://%s, where no secret is sent", next.URL.Scheme, next.URL.Host)
		case len(via) >= maxRedirects:
			return errors.New("the server leads in a circle")
		}
		return nil
	}
	return &own
}

// maxRedirects is net/http's own bound.
const maxRedirects = 10

// Static is an Authenticator with a fixed endpoint and token.
type Static struct {
	URL   string
	Value string
}

// Token returns the fixed token.
func (s Static) Token(context.Context, string) (string, error) { return s.Value, nil }

// Endpoint returns the fixed URL.
func (s Static) Endpoint(context.Context) (string, error) { return s.URL, nil }

// Error is what the server refused.
type Error struct {
	Status    int
	Code      string // "container.container-not-found"
	Title     string
	Detail    string
	RequestID string
}

// Error returns the server's own sentence and the status.
func (e *Error) Error() string {
	// The title of a refused argument goes on with the rule and the value.
	text, _, _ := strings.Cut(e.Title, "\n")
	if text == "" {
		text = e.Detail
	}
	if text == "" {
		text = http.StatusText(e.Status)
	}
	if e.Status >= http.StatusInternalServerError && e.RequestID != "" {
		return fmt.Sprintf("%s (HTTP %d) (Request-ID: %s)", text, e.Status, e.RequestID)
	}
	return fmt.Sprintf("%s (HTTP %d)", text, e.Status)
}

// ErrNoName is what a call ends with that is about something whose name or uuid is empty. Its
// path would lead to something else, such as to the list of what is not named.
var ErrNoName = errors.New("a name or uuid is empty")

// call is one request before it has a token and a version.
type call struct {
	method string
	path   string // below /v1
	query  url.Values
	body   any
	root   bool   // outside /v1 and without version or token
	accept string // media type of an answer that may last; empty: JSON
	// stream of type media is sent instead of body, once.
	stream io.Reader
	media  string
}

// do sends c and decodes the answer into out unless that is nil.
func (c *Client) do(ctx context.Context, r call, out any) error {
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// send returns the open answer of a call that succeeded; the caller closes it. A
// token that the server refuses is renewed once.
func (c *Client) send(ctx context.Context, r call) (*http.Response, error) {
	if !r.root && strings.Contains(r.path+"/", "//") {
		return nil, ErrNoName
	}
	token := ""
	for attempt := 0; ; attempt++ {
		req, used, err := c.request(ctx, r, token)
		if err != nil {
			return nil, err
		}
		resp, err := c.transport(r).Do(req)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.method, req.URL.Redacted(), plain(err))
		}
		if resp.StatusCode == http.StatusUnauthorized && attempt == 0 && used != "" && r.stream == nil {
			_ = resp.Body.Close()
			token = used
			continue
		}
		if resp.StatusCode >= http.StatusBadRequest {
			return nil, refusal(resp)
		}
		return resp, nil
	}
}

// transport is what carries r: a stream lasts as long as its ctx.
func (c *Client) transport(r call) *http.Client {
	if r.accept == "" {
		return c.http
	}
	lasting := *c.http
	lasting.Timeout = 0
	return &lasting
}

func (c *Client) request(ctx context.Context, r call, stale string) (*http.Request, string, error) {
	base, err := c.auth.Endpoint(ctx)
	if err != nil {
		return nil, "", err
	}
	base = strings.TrimSuffix(strings.TrimRight(base, "/"), "/v1")
	target := base + "/v1" + r.path
	if r.root {
		target = base + r.path
	}
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	body := r.stream
	if r.body != nil {
		data, err := json.Marshal(r.body)
		if err != nil {
			return nil, "", fmt.Errorf("encode %s %s: %w", r.method, r.path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, body)
	if err != nil {
		return nil, "", fmt.Errorf("make %s %s: %w", r.method, r.path, err)
	}
	req.Header.Set("Accept", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.stream != nil {
		req.Header.Set("Content-Type", r.media)
		req.Header.Set("Expect", "100-continue") // a refusal comes before all is sent
	}
	if r.root {
		return req, "", nil
	}
	version, err := c.Version(ctx)
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("OpenStack-API-Version", "container "+version.String())
	token, err := c.auth.Token(ctx, stale)
	if err != nil {
		return nil, "", err
	}
	if token != "" {
		req.Header.Set("X-Auth-Token", token)
	}
	return req, token, nil
}

// Version returns the microversion this client speaks, negotiating it at the first call.
func (c *Client) Version(ctx context.Context) (api.Version, error) {
	c.mu.Lock()
	known := c.version
	c.mu.Unlock()
	if !known.IsZero() {
		return known, nil
	}
	doc, err := c.Versions(ctx)
	if err != nil {
		return api.Version{}, err
	}
	version, err := newestShared(doc)
	if err != nil {
		return api.Version{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version = version
	return version, nil
}

// Versions returns the server's version document.
func (c *Client) Versions(ctx context.Context) (api.Root, error) {
	var doc api.Root
	err := c.do(ctx, call{method: http.MethodGet, path: "/", root: true}, &doc)
	return doc, err
}

func newestShared(doc api.Root) (api.Version, error) {
	for _, v := range doc.Versions {
		if v.Status != "CURRENT" {
			continue
		}
		theirs, err := api.ParseVersion(v.MaxVersion)
		if err != nil {
			return api.Version{}, fmt.Errorf("the server's newest version: %w", err)
		}
		if theirs.Before(api.MaxVersion) {
			return theirs, nil
		}
		return api.MaxVersion, nil
	}
	return api.Version{}, errors.New("the server names no current version of its API")
}

// refusal reads an error answer, whatever its form, and closes it.
func refusal(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	e := &Error{Status: resp.StatusCode, RequestID: resp.Header.Get("X-Openstack-Request-Id")}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return e
	}
	var doc api.Faults
	if json.Unmarshal(data, &doc) == nil && len(doc.Errors) > 0 {
		e.Code, e.Title, e.Detail = doc.Errors[0].Code, doc.Errors[0].Title, doc.Errors[0].Detail
		return e
	}
	var keystone struct {
		Error struct{ Message, Title string } `json:"error"`
	}
	if json.Unmarshal(data, &keystone) == nil {
		e.Title = keystone.Error.Message
	}
	return e
}

// plain takes the method and URL that net/http puts before its errors away again,
// because the caller already names them.
func plain(err error) error {
	if ue, ok := err.(*url.Error); ok { //nolint:errorlint // exactly the wrapper of http.Client.Do is taken off
		return ue.Err
	}
	return err
}
