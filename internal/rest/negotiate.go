package rest

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

// negotiate reads the version header: absent is the oldest version, "container
// latest" the newest.
func negotiate(header string) (api.Version, error) {
	if strings.TrimSpace(header) == "" {
		return api.MinVersion, nil
	}
	words := strings.Fields(header)
	if len(words) != 2 || words[0] != api.ServiceType {
		return api.Version{}, unacceptable("Invalid service type for OpenStack-API-Version header")
	}
	if strings.EqualFold(words[1], api.Latest) {
		return api.MaxVersion, nil
	}
	version, err := api.ParseVersion(words[1])
	if err != nil {
		return api.Version{}, unacceptable("Invalid value for OpenStack-API-Version header")
	}
	if !version.Within(api.MinVersion, api.MaxVersion) {
		return api.Version{}, outOfRange(version)
	}
	return version, nil
}

func unacceptable(detail string) error {
	return domain.NewFault(domain.NotAcceptable, "", "%s", detail)
}

// outOfRange is the one error that has its own members: the range to choose from.
func outOfRange(asked api.Version) error {
	return &answer{status: http.StatusNotAcceptable, body: api.Fault{
		Code: "zun.microversion-unsupported", Title: "Requested microversion is unsupported",
		Detail: fmt.Sprintf("Version %s is not supported by the API. Supported versions are [container %s, container %s].",
			asked, api.MinVersion, api.MaxVersion),
		Links:      []api.Link{{Rel: "help", Href: helpLink}},
		MinVersion: api.MinVersion.String(), MaxVersion: api.MaxVersion.String(),
	}}
}

// notInVersion refuses a route outside of its range of versions.
func notInVersion(version api.Version) error {
	return unacceptable(fmt.Sprintf("Version %s was requested but the requested API is not supported for this version.", version))
}

// announce writes the version headers. The applied version is missing where none
// could be agreed on.
func announce(h http.Header, version api.Version) {
	h.Add("Vary", api.HeaderVersion)
	h.Set(api.HeaderMinVersion, api.ServiceType+" "+api.MinVersion.String())
	h.Set(api.HeaderMaxVersion, api.ServiceType+" "+api.MaxVersion.String())
	if !version.IsZero() {
		h.Set(api.HeaderVersion, api.ServiceType+" "+version.String())
	}
}

// unannounce takes the version headers back from an answer that no version of the API
// gave: of a path that is none, a method that is none, a caller who is nobody.
func unannounce(h http.Header) {
	kept := slices.DeleteFunc(h.Values("Vary"), func(value string) bool { return value == api.HeaderVersion })
	h.Del("Vary")
	for _, value := range kept {
		h.Add("Vary", value)
	}
	for _, name := range []string{api.HeaderVersion, api.HeaderMinVersion, api.HeaderMaxVersion} {
		h.Del(name)
	}
}

// agreed says whether a version was announced that the client can have.
func agreed(h http.Header) bool { return h.Get(api.HeaderVersion) != "" }

// acceptsJSON says whether the client takes what this service speaks.
func acceptsJSON(accept string) bool {
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
