// Package answer sends what was found: values as JSON, and failures by their status.
package answer

import (
	"encoding/json"
	"net/http"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
	"github.com/go-zun/zun/internal/rest/wire"
)

// Status is the only map from kinds of failure to HTTP.
func Status(kind domain.FaultKind) int {
	switch kind {
	case domain.Invalid, domain.Unsupported:
		return http.StatusBadRequest
	case domain.Unauthenticated:
		return http.StatusUnauthorized
	case domain.Forbidden:
		return http.StatusForbidden
	case domain.NotFound:
		return http.StatusNotFound
	case domain.NotAcceptable:
		return http.StatusNotAcceptable
	case domain.Conflict:
		return http.StatusConflict
	case domain.TooLarge:
		return http.StatusRequestEntityTooLarge
	case domain.UnsupportedMedia:
		return http.StatusUnsupportedMediaType
	case domain.Unavailable:
		return http.StatusServiceUnavailable
	case domain.Timeout:
		return http.StatusGatewayTimeout
	default:
		return http.StatusInternalServerError
	}
}

// Send writes value as JSON; 204 has no body.
func Send(w http.ResponseWriter, status int, value any) {
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if direct, ok := written(value); ok {
		_ = direct.WriteJSON(w) // as below
		return
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // the client is gone; nobody is left to be told
}

// written returns value as what writes itself, if it is one of those.
func written(value any) (wire.Value, bool) {
	if one, ok := value.(api.Container); ok {
		return wire.Container{Shown: one}, true
	}
	direct, ok := value.(wire.Value)
	return direct, ok
}
