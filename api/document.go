package api

// Root answers GET /: the versions of the API.
type Root struct {
	Name           string         `json:"name"`
	Description    string         `json:"description"`
	Versions       []VersionEntry `json:"versions"`
	DefaultVersion VersionEntry   `json:"default_version"`
}

// FeedEvent is the data of one server-sent event of GET /v1/events, an extension. Its id
// is the one to resume after.
type FeedEvent struct {
	ID           int64   `json:"id"`
	Name         string  `json:"name"` // "start.done", "status", "deleted"
	At           string  `json:"at"`
	Resource     string  `json:"resource"` // "container" or "capsule"
	UUID         string  `json:"uuid"`
	ProjectID    string  `json:"project_id"`
	Status       string  `json:"status"`
	StatusReason *string `json:"status_reason"`
	RequestID    *string `json:"request_id"`
}

// VersionEntry is one major version with its range of microversions.
type VersionEntry struct {
	ID         string `json:"id"`
	Status     string `json:"status"`
	MinVersion string `json:"min_version"`
	MaxVersion string `json:"max_version"`
	Links      []Link `json:"links"`
}

// MediaType is a representation that a version offers.
type MediaType struct {
	Base string `json:"base"`
	Type string `json:"type"`
}

// V1 answers GET /v1: where its collections are.
type V1 struct {
	ID                string      `json:"id"`
	MediaTypes        []MediaType `json:"media_types"`
	Links             []Link      `json:"links"`
	Services          []Link      `json:"services"`
	Containers        []Link      `json:"containers"`
	Images            []Link      `json:"images"`
	Networks          []Link      `json:"networks"`
	Hosts             []Link      `json:"hosts"`
	Capsules          []Link      `json:"capsules"`
	AvailabilityZones []Link      `json:"availability_zones"`
	Quotas            []Link      `json:"quotas"`
	QuotaClasses      []Link      `json:"quota_classes"`
	Registries        []Link      `json:"registries"`
}

// Faults is the body of every error.
type Faults struct {
	Errors []Fault `json:"errors"`
}

// Fault is one error. Code is "container." and a word in kebab case; Title is the
// message, Detail more of it. MinVersion and MaxVersion are set when the version
// asked for is out of range.
type Fault struct {
	RequestID  string `json:"request_id"`
	Code       string `json:"code"`
	Status     int    `json:"status"`
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Links      []Link `json:"links"`
	MinVersion string `json:"min_version,omitempty"`
	MaxVersion string `json:"max_version,omitempty"`
}

// Unauthorized is the body of 401, in the words of the identity service.
type Unauthorized struct {
	Error UnauthorizedError `json:"error"`
}

// UnauthorizedError is the inner part of a 401.
type UnauthorizedError struct {
	Code    int    `json:"code"`
	Title   string `json:"title"`
	Message string `json:"message"`
}
