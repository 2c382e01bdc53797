package api

import (
	"errors"
	"strings"
)

// ErrOpenQuotation says that a line ends inside a quotation or after a backslash.
var ErrOpenQuotation = errors.New("a quotation is not closed")

// SplitWords cuts a line, such as the command of an execute, into words by the rules of
// a POSIX shell: blanks separate, single quotes keep all, double quotes keep all but a
// backslash before one of the characters " \ $ `.
func SplitWords(line string) ([]string, error) {
	var words []string
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
				words, open = append(words, word.String()), false
				word.Reset()
			}
		default:
			word.WriteRune(r)
			open = true
		}
	}
	if quote != 0 || escaped {
		return nil, ErrOpenQuotation
	}
	if open {
		words = append(words, word.String())
	}
	return words, nil
}

// JoinWords makes of words a line that SplitWords cuts into the same words again.
func JoinWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'"'"'`) + "'"
	}
	return strings.Join(quoted, " ")
}
