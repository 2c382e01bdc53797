package draft

import (
	"github.com/go-zun/zun/api"
	"github.com/go-zun/zun/internal/domain"
)

// Split cuts a line into words as the API does.
func Split(line string) ([]string, error) {
	words, err := api.SplitWords(line)
	if err != nil {
		return nil, domain.WrapFault(err, domain.Invalid, "invalid-value", "The command has a quotation that is not closed.")
	}
	return words, nil
}
