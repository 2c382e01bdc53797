package draft

import (
	"strings"

	"github.com/go-zun/zun/internal/domain"
)

// Split cuts a line into words by the rules of a POSIX shell: blanks separate,
// single quotes keep all, double quotes keep all but a backslash before one of
// the characters " \ $ `.
func Split(line string) ([]string, error) {
	var all []string
	var word strings.Builder
	var quote rune
	open, escaped := false, false
	for _, r := range line {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`", r) {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if open {
				all = append(all, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, domain.NewFault(domain.Invalid, "invalid-value", "The command has a quotation that is not closed.")
	}
	if open {
		all = append(all, word.String())
	}
	return all, nil
}
