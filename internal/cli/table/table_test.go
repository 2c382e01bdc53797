package table_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/cli/table"
)

func TestNothingInATableSteersTheTerminal(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := table.Write(&out, []string{"name"}, [][]string{{"a\x1b]0;title\x07b"}, {"two\nlines"}, {"c1\u009b2J"}, {"über\u202e"}, {"back\r"}, {"\xff\x1b"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `+------------------+
| name             |
+------------------+
| a\x1b]0;title\ab |
| two              |
| lines            |
| c1\u009b2J       |
| über\u202e       |
| back\r           |
| ` + "\ufffd" + `\x1b            |
+------------------+
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}
