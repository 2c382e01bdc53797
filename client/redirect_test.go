package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/client"
)

// TestSecretsStayWithTheServerTheyAreFor has a server lead elsewhere, once with a token
// and once with a password.
func TestSecretsStayWithTheServerTheyAreFor(t *testing.T) {
	t.Parallel()
	var reached atomic.Bool
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Auth-Token") != "" || len(body) > 0 {
			t.Errorf("a stranger was sent %q and %s", r.Header.Get("X-Auth-Token"), body)
		}
		reached.Store(true)
	}))
	t.Cleanup(stranger.Close)
	elsewhere := strings.Replace(stranger.URL, "127.0.0.1", "localhost", 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/near"):
			_, _ = io.WriteString(w, `{"name":"near"}`)
		case strings.HasSuffix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/v1/containers/near", http.StatusTemporaryRedirect)
		default:
			http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(server.Close)
	to := client.New(client.Options{Auth: client.Static{URL: server.URL, Value: "secret"}, Version: api.MaxVersion})
	if _, err := to.Container(t.Context(), "far", false); err == nil || !strings.Contains(err.Error(), "no secret is sent") {
		t.Errorf("with a token: %v", err)
	}
	if near, err := to.Container(t.Context(), "moved", false); err != nil || near.Name != "near" {
		t.Errorf("within the server: %+v, %v", near, err)
	}
	login := &client.Keystone{AuthURL: server.URL, Username: "u", Password: "secret"}
	if _, err := login.Token(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no secret is sent") {
		t.Errorf("with a password: %v", err)
	}
	if reached.Load() {
		t.Error("the stranger was reached")
	}
}
