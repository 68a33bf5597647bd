// Package network speaks to other devices (kolibri/core/discovery/utils/network): it reads addresses
// as people write them, finds out whether a Kolibri answers there, and remembers what it found.
package network

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"kolibri/core/api"
)

// Error is why another device could not be spoken to. Kind is the class of the original's
// exception, which people get to see; Code is the id that the front end knows.
type Error struct {
	Kind, Code string
	Cause      error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Kind + ": " + e.Cause.Error()
	}
	return e.Kind
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// The kinds of failures (kolibri/core/discovery/utils/network/errors.py).
const (
	NotFound          = "NetworkLocationNotFound"
	ConnectionFailure = "NetworkLocationConnectionFailure"
	ResponseTimeout   = "NetworkLocationResponseTimeout"
	ResponseFailure   = "NetworkLocationResponseFailure"
	InvalidResponse   = "NetworkLocationInvalidResponse"
	Conflict          = "NetworkLocationConflict"
)

func fail(kind string, cause error) *Error {
	code := api.Invalid
	if kind == NotFound {
		code = api.NetworkLocationNotFound
	}
	return &Error{kind, code, cause}
}

func malformed(kind string) *Error {
	return &Error{Kind: kind, Code: api.InvalidNetworkLocationFormat}
}

// address is an address taken apart.
type address struct {
	scheme, host, path string
	port               int // 0: none was given
}

// parse reads an address with or without scheme, port and path.
func parse(text string) (address, error) {
	if strings.Count(text, ":") > 2 && strings.Trim(text, "abcdef0123456789:") == "" {
		text = "[" + text + "]"
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		if strings.Contains(err.Error(), "invalid port") {
			return address{}, malformed("InvalidPort")
		}
		return address{}, malformed("InvalidHostname")
	}
	a := address{scheme: strings.ToLower(u.Scheme), host: strings.ToLower(u.Hostname()), path: strings.TrimRight(u.Path, "/") + "/"}
	if port := u.Port(); port != "" {
		a.port, err = strconv.Atoi(port)
		if err != nil || a.port < 1 || a.port > 65535 {
			return address{}, malformed("InvalidPort")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return address{}, malformed("InvalidPort")
	}
	if a.scheme != "http" && a.scheme != "https" {
		return address{}, malformed("InvalidScheme")
	}
	ip, err := netip.ParseAddr(a.host)
	switch {
	case err == nil && ip.Is6():
		a.host = "[" + a.host + "]"
	case err == nil, validHostname(a.host):
	default:
		return address{}, malformed("InvalidHostname")
	}
	return a, nil
}

func validHostname(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return false
	}
	for _, l := range labels {
		if !validLabel(l) {
			return false
		}
	}
	return true
}

func validLabel(l string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
	return l != "" && len(l) <= 63 && l[0] != '-' && l[len(l)-1] != '-' && strings.Trim(l, allowed) == ""
}

// Variations are the base URLs at which the device of an address may answer, the likeliest first:
// people leave out the port, the scheme, or write one too many parts of a path.
// kolibri/core/discovery/utils/network/urls.py: get_normalized_url_variations
func Variations(text string) ([]string, error) {
	a, err := parse(text)
	if err != nil {
		return nil, err
	}
	paths := []string{a.path}
	if a.path != "/" {
		paths = append(paths, "/")
	}
	schemes := []string{"http", "https"}
	if a.scheme == "https" {
		schemes = []string{"https", "http"}
	}
	var all []string
	for _, path := range paths {
		for _, scheme := range schemes {
			ports := []int{8080, 80, 8008, 8000, 5000} // the last is Android's
			standard := 80
			if scheme == "https" {
				ports, standard = []int{443}, 443
			}
			if a.port != 0 {
				ports = append([]int{a.port}, ports...)
			}
			for i, port := range ports {
				if i > 0 && port == a.port {
					continue
				}
				place := a.host
				if port != standard {
					place += ":" + strconv.Itoa(port)
				}
				all = append(all, scheme+"://"+place+path)
			}
		}
	}
	return all, nil
}
