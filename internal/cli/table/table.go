// Package table draws lists as users of the original read them.
package table

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Write writes rows under header, each column as wide as its widest cell.
func Write(w io.Writer, header []string, rows [][]string) error {
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
