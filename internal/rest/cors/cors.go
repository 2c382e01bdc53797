// Package cors tells browsers which origins may use the API.
package cors

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rules are what browsers of other origins may do; no origin is allowed by default.
type Rules struct {
	Origins, Methods, Headers, Exposed []string
	Credentials                        bool
	MaxAge                             time.Duration
}

// Handler answers OPTIONS, as it is a browser's question and carries no token, and
// hands everything else to next.
func Handler(rules Rules, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if allowed(rules.Origins, origin) {
			grant(w.Header(), r, rules)
		}
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusOK)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func allowed(origins []string, origin string) bool {
	return origin != "" && (slices.Contains(origins, "*") || slices.Contains(origins, origin))
}

func grant(h http.Header, r *http.Request, rules Rules) {
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	if rules.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(rules.Exposed) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(rules.Exposed, ","))
	}
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(rules.Methods, ","))
	h.Set("Access-Control-Allow-Headers", strings.Join(rules.Headers, ","))
	if rules.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(rules.MaxAge.Seconds())))
	}
}
