package dialect

import (
	"net/url"
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// parseDSN reads a connection URL and leaves the driver word out of its scheme. The
// faults never repeat the text, because it holds a password.
func parseDSN(dsn string) (*url.URL, error) {
	target, err := url.Parse(dsn)
	if err != nil {
		return nil, badDSN("it is not a URL")
	}
	target.Scheme, _, _ = strings.Cut(target.Scheme, "+")
	switch target.Scheme {
	case "sqlite", "postgresql", "mysql":
		return target, nil
	case "postgres":
		target.Scheme = "postgresql"
		return target, nil
	case "mariadb":
		target.Scheme = "mysql"
		return target, nil
	default:
		return nil, badDSN("its scheme is none of sqlite, postgresql and mysql")
	}
}

func badDSN(reason string) error {
	return domain.NewFault(domain.Invalid, "invalid-database-connection", "The database connection is not usable: %s.", reason)
}
