// Package table draws lists as users of the original read them.
package table

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Write writes rows under header, each column as wide as its widest cell.
func Write(w io.Writer, header []string, rows [][]string) error {
	rows = visible(rows)
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, row := range rows {
		for i, cell := range row {
			for line := range strings.Lines(cell) {
				widths[i] = max(widths[i], utf8.RuneCountInString(strings.TrimSuffix(line, "\n")))
			}
		}
	}
	var b strings.Builder
	rule(&b, widths)
	tableRow(&b, widths, header)
	rule(&b, widths)
	for _, row := range rows {
		tableRow(&b, widths, row)
	}
	rule(&b, widths)
	_, err := io.WriteString(w, b.String())
	return err
}

// visible returns rows with what steers a terminal written out: much of what is shown
// was named by users of other projects.
func visible(rows [][]string) [][]string {
	shown := make([][]string, len(rows))
	for i, row := range rows {
		for _, cell := range row {
			shown[i] = append(shown[i], Visible(cell))
		}
	}
	return shown
}

// Visible is text with all that steers a terminal written out, but for the ends of lines
// and tabs.
func Visible(text string) string {
	steers := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
	}
	if strings.IndexFunc(text, steers) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text { // a byte that is no text comes as the mark for it
		if steers(r) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func rule(b *strings.Builder, widths []int) {
	for _, width := range widths {
		b.WriteString("+" + strings.Repeat("-", width+2))
	}
	b.WriteString("+\n")
}

// tableRow writes one row, over several lines where a cell holds several.
func tableRow(b *strings.Builder, widths []int, cells []string) {
	height := 1
	lines := make([][]string, len(cells))
	for i, cell := range cells {
		lines[i] = strings.Split(strings.TrimSuffix(cell, "\n"), "\n")
		height = max(height, len(lines[i]))
	}
	for at := range height {
		for i, width := range widths {
			cell := ""
			if at < len(lines[i]) {
				cell = lines[i][at]
			}
			b.WriteString("| " + cell + strings.Repeat(" ", width-utf8.RuneCountInString(cell)) + " ")
		}
		b.WriteString("|\n")
	}
}
