package config

import (
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check says why value cannot be one of option o, or "". An empty value of a type
// other than text means none, as an absent option does.
func check(o Option, value string) string {
	if value == "" && o.Type != String && o.Type != Boolean {
		return ""
	}
	if len(o.Choices) > 0 && !slices.Contains(o.Choices, value) {
		return fmt.Sprintf("%q: expected one of %s", value, strings.Join(quoted(o.Choices), ", "))
	}
	switch o.Type {
	case Integer, Float, Port, Size, Seconds:
		return checkNumber(o, value)
	case Boolean:
		if _, err := parseBool(value); err != nil {
			return err.Error()
		}
	case Address:
		if _, err := netip.ParseAddr(value); err != nil {
			return fmt.Sprintf("%q: expected an IPv4 or IPv6 address", value)
		}
	case URI:
		if u, err := url.Parse(value); err != nil || u.Scheme == "" {
			return fmt.Sprintf("%q: expected a URI with its scheme, such as http://host:port/", value)
		}
	case HostPort:
		return checkHostPort(value)
	case HostPorts:
		return checkHostPorts(value)
	case Prefixes:
		if _, err := parsePrefixes(value); err != nil {
			return err.Error()
		}
	case Map:
		return checkMap(value)
	case String, List, Multi:
	}
	return ""
}

func checkNumber(o Option, value string) string {
	number, err := parseNumber(o.Type, value)
	if err != nil {
		return err.Error()
	}
	least, most := o.Min, o.Max
	if o.Type == Port {
		least, most = bound(0), bound(math.MaxUint16)
	}
	if o.Type == Seconds && least == nil {
		least = bound(0)
	}
	if least != nil && number < *least {
		return fmt.Sprintf("%q: expected at least %v", value, *least)
	}
	if most != nil && number > *most {
		return fmt.Sprintf("%q: expected at most %v", value, *most)
	}
	return ""
}

// parseNumber reads a number of any of the numeric types.
func parseNumber(t Type, value string) (float64, error) {
	switch t {
	case Float:
		number, err := strconv.ParseFloat(value, 64)
		if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
			return 0, fmt.Errorf("%q: expected a number", value)
		}
		return number, nil
	case Size:
		size, err := parseSize(value)
		return float64(size), err
	default:
		number, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return 0, fmt.Errorf("%q: expected a whole number", value)
		}
		return float64(number), nil
	}
}

// parseSize reads a number of bytes such as 512, 64k, 10m or 2g.
func parseSize(value string) (int64, error) {
	digits, factor := strings.ToLower(value), int64(1)
	for i, unit := range []string{"k", "m", "g"} {
		if rest, found := strings.CutSuffix(digits, unit); found {
			digits, factor = rest, int64(1)<<(10*(i+1))
			break
		}
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || number < 0 || number > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q: expected a size in bytes, with k, m or g if wanted", value)
	}
	return number * factor, nil
}

// parseBool reads oslo.config's spellings of truth.
func parseBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	default:
		return false, fmt.Errorf("%q: expected true or false (also 1, yes, on, 0, no, off)", value)
	}
}

// parseList splits at commas; a quoted element may hold a comma.
func parseList(value string) []string {
	var items []string
	for rest := value; strings.TrimSpace(rest) != ""; {
		item := strings.TrimSpace(rest)
		if end := strings.IndexByte(item[1:], item[0]); (item[0] == '"' || item[0] == '\'') && end >= 0 {
			items = append(items, item[1:end+1])
			_, rest, _ = strings.Cut(item[end+2:], ",")
			continue
		}
		item, rest, _ = strings.Cut(item, ",")
		items = append(items, strings.TrimSpace(item))
	}
	return items
}

// parsePrefixes reads networks; a single address is the network of it alone.
func parsePrefixes(value string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, item := range parseList(value) {
		if address, err := netip.ParseAddr(item); err == nil {
			prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			return nil, fmt.Errorf("%q: expected a network such as 10.0.0.0/8", item)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

func checkHostPort(value string) string {
	_, port, err := net.SplitHostPort(value)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Sprintf("%q: expected host:port", value)
	}
	return ""
}

func checkHostPorts(value string) string {
	for _, item := range parseList(value) {
		if reason := checkHostPort(item); reason != "" {
			return reason
		}
	}
	return ""
}

func checkMap(value string) string {
	for _, item := range parseList(value) {
		if key, _, found := strings.Cut(item, ":"); !found || key == "" {
			return fmt.Sprintf("%q: expected key:value pairs", item)
		}
	}
	return ""
}

func seconds(number float64) time.Duration { return time.Duration(number) * time.Second }

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = strconv.Quote(word)
	}
	return out
}
