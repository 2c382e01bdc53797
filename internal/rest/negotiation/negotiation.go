// Package negotiation agrees with a client on the version and the type of the answer.
package negotiation

import (
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

const helpLink = "https://docs.openstack.org/zun/latest/contributor/api-microversion.html"

// Version reads the version header: absent is the oldest version, "container
// latest" the newest.
func Version(header string) (api.Version, error) {
	if strings.TrimSpace(header) == "" {
		return api.MinVersion, nil
	}
	words := strings.Fields(header)
	if len(words) != 2 || words[0] != api.ServiceType {
		return api.Version{}, Unacceptable("Invalid service type for OpenStack-API-Version header")
	}
	if strings.EqualFold(words[1], api.Latest) {
		return api.MaxVersion, nil
	}
	version, err := api.ParseVersion(words[1])
	if err != nil {
		return api.Version{}, Unacceptable("Invalid value for OpenStack-API-Version header")
	}
	if !version.Within(api.MinVersion, api.MaxVersion) {
		return api.Version{}, &OutOfRange{Asked: version}
	}
	return version, nil
}

// Unacceptable refuses what the client would take, or asked for.
func Unacceptable(detail string) error {
	return domain.NewFault(domain.NotAcceptable, "", "%s", detail)
}

// OutOfRange refuses a version that this service does not know.
type OutOfRange struct{ Asked api.Version }

// Error says what was asked for.
func (o *OutOfRange) Error() string { return fmt.Sprintf("version %s is out of range", o.Asked) }

// Body is the one body of an error that has its own members: the range to choose from.
func (o *OutOfRange) Body() api.Fault {
	return api.Fault{
		Code: "zun.microversion-unsupported", Title: "Requested microversion is unsupported",
		Detail: fmt.Sprintf("Version %s is not supported by the API. Supported versions are [container %s, container %s].",
			o.Asked, api.MinVersion, api.MaxVersion),
		Links:      []api.Link{{Rel: "help", Href: helpLink}},
		MinVersion: api.MinVersion.String(), MaxVersion: api.MaxVersion.String(),
	}
}

// NotInVersion refuses a route outside of its range of versions.
func NotInVersion(version api.Version) error {
	return Unacceptable(fmt.Sprintf("Version %s was requested but the requested API is not supported for this version.", version))
}

// Announce writes the version headers. The applied version is missing where none
// could be agreed on.
func Announce(h http.Header, version api.Version) {
	h.Add("Vary", api.HeaderVersion)
	h.Set(api.HeaderMinVersion, api.ServiceType+" "+api.MinVersion.String())
	h.Set(api.HeaderMaxVersion, api.ServiceType+" "+api.MaxVersion.String())
	if !version.IsZero() {
		h.Set(api.HeaderVersion, api.ServiceType+" "+version.String())
	}
}

// Withdraw takes the version headers back from an answer that no version of the API
// gave: of a path that is none, a method that is none, a caller who is nobody.
func Withdraw(h http.Header) {
	kept := slices.DeleteFunc(h.Values("Vary"), func(value string) bool { return value == api.HeaderVersion })
	h.Del("Vary")
	for _, value := range kept {
		h.Add("Vary", value)
	}
	for _, name := range []string{api.HeaderVersion, api.HeaderMinVersion, api.HeaderMaxVersion} {
		h.Del(name)
	}
}

// Agreed says whether a version was announced that the client can have.
func Agreed(h http.Header) bool { return h.Get(api.HeaderVersion) != "" }

// AcceptsJSON says whether the client takes what this service speaks.
func AcceptsJSON(accept string) bool {
	if strings.TrimSpace(accept) == "" {
		return true
	}
	for entry := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(entry))
		if err != nil || params["q"] == "0" {
			continue
		}
		switch media {
		case "application/json", "application/*", "*/*":
			return true
		}
	}
	return false
}

// AcceptsEvents says whether the client asks for server-sent events by name.
func AcceptsEvents(accept string) bool {
	return slices.ContainsFunc(strings.Split(accept, ","), func(entry string) bool {
		media, _, _ := strings.Cut(strings.TrimSpace(entry), ";")
		return media == "text/event-stream"
	})
}
