package dialect

import (
	"strconv"
	"strings"
)

// Speak puts a statement into the words of the dialect: @now and @integer, and the marks
// of its arguments.
func (d Dialect) Speak(written string) string {
	spoken := strings.NewReplacer("@now", d.Now, "@integer", d.Integer).Replace(written)
	if d.Numbered {
		spoken = numbered(spoken)
	}
	return spoken
}

// numbered turns each ? into $1, $2, ... in order.
func numbered(query string) string {
	var out strings.Builder
	for n := 1; ; n++ {
		before, after, more := strings.Cut(query, "?")
		out.WriteString(before)
		if !more {
			return out.String()
		}
		out.WriteString("$" + strconv.Itoa(n))
		query = after
	}
}
