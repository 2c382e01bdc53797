package app

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-zun/zun/internal/config"
	"github.com/go-zun/zun/internal/term"
)

// consolePath is where the API's own port answers consoles.
const consolePath = "/console/"

// consolesHere sends users to this process for consoles, unless the operator named
// an address. One port serves all: a laptop needs no second one, TLS and names are
// the API's, and clients follow whatever address they are told.
func consolesHere(c config.Config) config.Config {
	if !c.WebSocket.BaseURLGiven {
		c.WebSocket.BaseURL = "ws" + strings.TrimPrefix(publicURL(c), "http") + consolePath
	}
	c.WebSocket.InsideAPI = true
	return c
}

// newConsole makes the console door over desk.
func newConsole(c config.Config, desk term.Desk, meter term.Meter, log *slog.Logger) (*term.Door, error) {
	o := term.DefaultOptions()
	o.BaseURL, o.AllowedOrigins, o.TrustedProxies = c.WebSocket.BaseURL, c.WebSocket.AllowedOrigins, c.API.TrustedProxies
	o.RequireTLS, o.Idle, o.Longest = c.WebSocket.TLSOnly, c.WebSocket.Idle, c.WebSocket.Longest
	o.WrongPerMinute = c.WebSocket.WrongPerMinute
	o.Paths = []string{"/"} // a reverse proxy may take the path of the public address off
	if c.WebSocket.InsideAPI {
		o.Paths = append(o.Paths, consolePath)
	}
	return term.New(term.Deps{Desk: desk, Options: o, Meter: meter, Now: time.Now, Log: log})
}

// besideAPI serves consoles on the API's port: at consolePath, or at the path of the
// public address where a reverse proxy leaves its prefix on.
func besideAPI(c config.Config, console, api http.Handler) http.Handler {
	public := ""
	if _, path, found := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(c.WebSocket.BaseURL, "ws://"), "wss://"), "/"); found && path != "" {
		public = "/" + path
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == consolePath || public != "" && r.URL.Path == public {
			console.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}
