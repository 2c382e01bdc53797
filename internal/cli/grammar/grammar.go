// Package grammar reads the arguments of the command line that are small languages.
package grammar

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/go-zun/zun/api"
)

// Pairs reads KEY=VALUE arguments. Given once, the argument may hold several pairs
// separated by commas or semicolons; given often, each is taken whole.
func Pairs(option string, args []string) (map[string]string, error) {
	if len(args) == 1 {
		args = strings.FieldsFunc(args[0], func(r rune) bool { return r == ',' || r == ';' })
	}
	result := make(map[string]string, len(args))
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%s takes KEY=VALUE, not %q", option, arg)
		}
		result[key] = value
	}
	return result, nil
}

// commaPairs reads one argument of the form a=b,c=d with the allowed keys.
func commaPairs(option, arg string, allowed ...string) (map[string]string, error) {
	result := map[string]string{}
	for part := range strings.SplitSeq(arg, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%s takes key=value parts separated by commas, not %q", option, part)
		}
		known := false
		for _, a := range allowed {
			known = known || a == key
		}
		if !known {
			return nil, fmt.Errorf("%s knows %s, not %q", option, strings.Join(allowed, ", "), key)
		}
		if _, twice := result[key]; twice {
			return nil, fmt.Errorf("%s was given %s twice", option, key)
		}
		result[key] = value
	}
	return result, nil
}

// Nets reads the --net arguments.
func Nets(args []string) ([]api.NetRequest, error) {
	list := make([]api.NetRequest, 0, len(args))
	for _, arg := range args {
		net, err := commaPairs("--net", arg, "network", "port", "v4-fixed-ip", "v6-fixed-ip")
		if err != nil {
			return nil, err
		}
		if (net["network"] == "") == (net["port"] == "") {
			return nil, errors.New("--net needs either network=NAME or port=NAME")
		}
		for key, v4 := range map[string]bool{"v4-fixed-ip": true, "v6-fixed-ip": false} {
			value, given := net[key]
			if !given {
				continue
			}
			addr, err := netip.ParseAddr(value)
			if err != nil || addr.Is4() != v4 {
				return nil, fmt.Errorf("--net: %s=%s is no such address", key, value)
			}
		}
		list = append(list, api.NetRequest{Network: net["network"], Port: net["port"], FixedV4: net["v4-fixed-ip"], FixedV6: net["v6-fixed-ip"]})
	}
	return list, nil
}

// Mounts reads the --mount arguments. The file of a bind is read here, because it
// is a file of the user's machine, not of the service's.
func Mounts(args []string) ([]api.MountRequest, error) {
	list := make([]api.MountRequest, 0, len(args))
	for _, arg := range args {
		mount, err := commaPairs("--mount", arg, "type", "source", "size", "destination")
		if err != nil {
			return nil, err
		}
		if mount["destination"] == "" || (mount["source"] == "") == (mount["size"] == "") {
			return nil, errors.New("--mount needs destination=PATH and either source=NAME or size=N")
		}
		if mount["type"] == "bind" {
			content, err := os.ReadFile(mount["source"])
			if err != nil {
				return nil, fmt.Errorf("read the file to inject: %w", err)
			}
			mount["source"] = base64.StdEncoding.EncodeToString(content)
		}
		list = append(list, api.MountRequest{Type: mount["type"], Source: mount["source"], Size: mount["size"], Destination: mount["destination"]})
	}
	return list, nil
}

// Restart reads no, always, unless-stopped, on-failure[:N].
func Restart(arg string) (*api.RestartPolicy, error) {
	name, count, counted := strings.Cut(arg, ":")
	switch name {
	case "no", "always", "unless-stopped":
		if counted {
			return nil, fmt.Errorf("--restart %s takes no count", name)
		}
	case "on-failure":
	default:
		return nil, fmt.Errorf("--restart takes no, always, unless-stopped or on-failure[:N], not %q", arg)
	}
	if !counted {
		count = "0"
	}
	if n, err := strconv.Atoi(count); err != nil || n < 0 {
		return nil, fmt.Errorf("--restart: %q is no count", count)
	}
	return &api.RestartPolicy{Name: name, MaximumRetryCount: count}, nil
}

// Healthcheck reads cmd=...,interval=T,retries=N,timeout=T.
func Healthcheck(arg string) (*api.HealthRequest, error) {
	parts, err := commaPairs("--healthcheck", arg, "cmd", "interval", "retries", "timeout")
	if err != nil {
		return nil, err
	}
	result := &api.HealthRequest{Cmd: parts["cmd"]}
	for key, to := range map[string]*int{"interval": &result.Interval, "retries": &result.Retries, "timeout": &result.Timeout} {
		value, given := parts[key]
		if !given {
			continue
		}
		if *to, err = seconds(value, key != "retries"); err != nil {
			return nil, fmt.Errorf("--healthcheck %s: %w", key, err)
		}
	}
	return result, nil
}

// seconds reads a whole number, with a unit s, m or h if units are allowed.
func seconds(value string, units bool) (int, error) {
	factor := 1
	if units && value != "" {
		switch value[len(value)-1] {
		case 's':
			value = value[:len(value)-1]
		case 'm':
			factor, value = 60, value[:len(value)-1]
		case 'h':
			factor, value = 3600, value[:len(value)-1]
		}
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is no such number", value)
	}
	return n * factor, nil
}

// Exposed reads PORT[/PROTO] arguments.
func Exposed(args []string) map[string]any {
	ports := make(map[string]any, len(args))
	for _, arg := range args {
		ports[arg] = map[string]any{}
	}
	return ports
}

// Command returns the words behind the first, without the "--" that other clients of
// containers want before a command.
func Command(args []string) []string {
	words := args[1:]
	if len(words) > 0 && words[0] == "--" {
		return words[1:]
	}
	return words
}
