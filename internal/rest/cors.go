package rest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// cors tells browsers which origins may use the API. OPTIONS is answered here: it
// is a browser's question and carries no token.
func (d *door) cors(next http.Handler) http.Handler {
	rules := d.Options.CORS
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

func grant(h http.Header, r *http.Request, rules CORS) {
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
