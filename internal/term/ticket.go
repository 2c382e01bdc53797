package term

import (
	"errors"
	"net/url"

	"github.com/google/uuid"

	"github.com/go-zun/zun/internal/control"
)

const (
	ticketLength = 64 // hexadecimal digits
	longestExec  = 128
)

// readClaim reads what the URL shows: token, uuid and perhaps exec_id, each once. Its
// errors never repeat what was sent, because that may be a secret.
func readClaim(query string) (control.TicketClaim, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return control.TicketClaim{}, errors.New("the query of the URL is malformed")
	}
	claim := control.TicketClaim{}
	for name, to := range map[string]*string{"token": &claim.Secret, "uuid": (*string)(&claim.Container), "exec_id": &claim.ExecID} {
		switch given := values[name]; len(given) {
		case 0:
		case 1:
			*to = given[0]
		default:
			return control.TicketClaim{}, errors.New("the URL names " + name + " more than once")
		}
	}
	return checked(claim)
}

func checked(claim control.TicketClaim) (control.TicketClaim, error) {
	known := control.TicketClaim{}
	if len(claim.Container) == 36 && uuid.Validate(string(claim.Container)) == nil {
		known.Container = claim.Container
	}
	switch {
	case known.Container == "":
		return known, errors.New("the URL names no container by uuid")
	case len(claim.Secret) != ticketLength || !all(claim.Secret, isHex):
		return known, errors.New("the URL holds no ticket")
	case len(claim.ExecID) > longestExec || !all(claim.ExecID, isWord):
		return known, errors.New("the URL names no exec session")
	}
	return claim, nil
}

func all(s string, is func(c byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' }

func isWord(c byte) bool {
	return isHex(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_' || c == '.'
}
