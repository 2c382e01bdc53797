package policy

import (
	"fmt"
	"slices"
	"strings"
)

// maxDepth bounds the nesting of parentheses, so that no file can exhaust the stack.
const maxDepth = 50

// parse reads the text form of a rule. "and" binds closer than "or"; the words are read
// in any case.
func parse(text string) (check, error) {
	p := parser{tokens: tokenize(text)}
	if len(p.tokens) == 0 {
		return always{}, nil
	}
	c, err := p.either(0)
	if err != nil {
		return nil, err
	}
	if token := p.next(); token != "" {
		return nil, fmt.Errorf("%q stands where the rule should end, or \"and\" or \"or\" follow", token)
	}
	return c, nil
}

// tokenize splits at spaces and takes parentheses off the ends of words; those of
// %(name)s are inside.
func tokenize(text string) []string {
	var tokens []string
	for _, word := range strings.Fields(text) {
		bare := strings.TrimLeft(word, "(")
		for range len(word) - len(bare) {
			tokens = append(tokens, "(")
		}
		core := strings.TrimRight(bare, ")")
		if core != "" {
			tokens = append(tokens, core)
		}
		for range len(bare) - len(core) {
			tokens = append(tokens, ")")
		}
	}
	return tokens
}

// parser reads tokens from left to right.
type parser struct{ tokens []string }

// next returns the coming token without taking it, "" at the end.
func (p *parser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

// take takes the coming token if it is word.
func (p *parser) take(word string) bool {
	if !strings.EqualFold(p.next(), word) || len(p.tokens) == 0 {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) either(depth int) (check, error) {
	parts, err := p.joined("or", func() (check, error) { return p.both(depth) })
	if len(parts) == 1 || err != nil {
		return first(parts), err
	}
	return anyOf(parts), nil
}

func (p *parser) both(depth int) (check, error) {
	parts, err := p.joined("and", func() (check, error) { return p.term(depth) })
	if len(parts) == 1 || err != nil {
		return first(parts), err
	}
	return allOf(parts), nil
}

// joined reads one part and all that follow behind word.
func (p *parser) joined(word string, read func() (check, error)) ([]check, error) {
	var parts []check
	for {
		part, err := read()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		if !p.take(word) {
			return parts, nil
		}
	}
}

func first(parts []check) check {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

func (p *parser) term(depth int) (check, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("more than %d parentheses or \"not\" are nested", maxDepth)
	}
	switch {
	case len(p.tokens) == 0:
		return nil, fmt.Errorf("the rule ends where a check is expected")
	case p.take("not"):
		of, err := p.term(depth + 1)
		return inverse{of}, err
	case p.take("("):
		inner, err := p.either(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return inner, err
	case p.next() == ")" || strings.EqualFold(p.next(), "and") || strings.EqualFold(p.next(), "or"):
		return nil, fmt.Errorf("%q stands where a check is expected", p.next())
	}
	token := p.next()
	p.tokens = p.tokens[1:]
	return parseCheck(token)
}

// parseCheck reads one check: "@", "!" or kind:match.
func parseCheck(token string) (check, error) {
	switch token {
	case "@":
		return always{}, nil
	case "!":
		return never{}, nil
	}
	kind, match, found := cutKind(token)
	if !found {
		return nil, fmt.Errorf("%q is no check: expected @, ! or kind:match", token)
	}
	if err := template(match).valid(); err != nil {
		return nil, fmt.Errorf("%q: %w", token, err)
	}
	if text, ok := constant(kind); ok {
		return literal{text: text, value: template(match)}, nil
	}
	switch {
	case kind == "rule":
		return ruleCheck(match), nil
	case kind == "role":
		return roleCheck(match), nil
	case kind == "http" || kind == "https":
		return nil, fmt.Errorf("%q asks an outside service, which this service does not do", token)
	case !slices.Contains(attributes(), kind):
		return nil, fmt.Errorf("%q compares %q, which an actor does not have: expected rule, role or one of %s",
			token, kind, strings.Join(attributes(), ", "))
	}
	return attributed{name: kind, value: template(match)}, nil
}

// cutKind splits at the first colon behind a quoted text or a word.
func cutKind(token string) (kind, match string, found bool) {
	if token != "" && (token[0] == '\'' || token[0] == '"') {
		if end := strings.IndexByte(token[1:], token[0]); end >= 0 && strings.HasPrefix(token[end+2:], ":") {
			return token[:end+2], token[end+3:], true
		}
		return "", "", false
	}
	kind, match, found = strings.Cut(token, ":")
	return kind, match, found && kind != ""
}

// parseList reads the old form of a rule: a list of alternatives, each one check or a
// list of checks that must all hold.
func parseList(alternatives []any) (check, error) {
	if len(alternatives) == 0 {
		return always{}, nil
	}
	either := anyOf{}
	for _, alternative := range alternatives {
		words, ok := alternative.([]any)
		if !ok {
			words = []any{alternative}
		}
		all := allOf{}
		for _, word := range words {
			text, ok := word.(string)
			if !ok {
				return nil, fmt.Errorf("%v in a list is no check", word)
			}
			c, err := parseCheck(text)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		if len(all) > 0 { // an empty alternative says nothing
			either = append(either, all)
		}
	}
	return either, nil
}
