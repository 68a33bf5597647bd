// Package egress decides which other servers a service may contact for somebody else: hosts that its
// operator named, or the Internet's, but no address of the network that the service itself stands in.
// The decision is made for names, for redirects, and once more for the very address that is dialled.
package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Policy is what may be contacted. Make one with Named or Public.
type Policy struct {
	public bool            // unnamed hosts of the Internet may be contacted
	hosts  map[string]bool // name or name:port
	nets   []network       // private addresses that were named
	lookup Lookup
}

// network is a named part of a private network, with one port of it or all.
type network struct {
	prefix netip.Prefix
	port   string
}

// Lookup resolves a name.
type Lookup func(ctx context.Context, name string) ([]netip.Addr, error)

// Errors of targets.
var (
	ErrNotAllowed = errors.New("this host is not one that --allow-host names")
	ErrPrivate    = errors.New("this name leads to a private address that --allow-host does not name")
)

const (
	maxRedirects = 5
	dialTimeout  = 10 * time.Second
)

// Named allows hosts: "studio.example", "192.168.1.20:8080", or a network such as "192.168.1.0/24" that allowed names
// may lead to. A host without a port is meant with 80 and 443. lookup resolves names; nil is the system's.
func Named(allowed []string, lookup Lookup) (*Policy, error) {
	return newPolicy(allowed, lookup, false)
}

// Public allows every host of the Internet, and of private networks those that are named as in Named.
func Public(allowed []string, lookup Lookup) (*Policy, error) {
	return newPolicy(allowed, lookup, true)
}

func newPolicy(allowed []string, lookup Lookup, public bool) (*Policy, error) {
	if lookup == nil {
		lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	p := &Policy{public: public, hosts: map[string]bool{}, lookup: lookup}
	for _, text := range allowed {
		if err := p.allow(strings.ToLower(strings.TrimSpace(text))); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Policy) allow(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		p.nets = append(p.nets, network{prefix: prefix.Masked()})
		return nil
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		p.addAddr(addr, "")
		return nil
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		p.addAddr(ap.Addr(), strconv.Itoa(int(ap.Port())))
		return nil
	}
	name, port := text, ""
	if n, given, err := net.SplitHostPort(text); err == nil {
		if _, err := strconv.ParseUint(given, 10, 16); err != nil {
			return fmt.Errorf("--allow-host %q: no port", text)
		}
		name, port = n, given
	}
	if !isName(name) {
		return fmt.Errorf("--allow-host %q is no host such as studio.learningequality.org or 192.168.1.20:8080", text)
	}
	p.hosts[joined(name, port)] = true
	return nil
}

func (p *Policy) addAddr(addr netip.Addr, port string) {
	addr = addr.Unmap().WithZone("")
	p.hosts[joined(addr.String(), port)] = true
	p.nets = append(p.nets, network{netip.PrefixFrom(addr, addr.BitLen()), port})
}

func joined(host, port string) string {
	if port == "" {
		return host
	}
	return net.JoinHostPort(host, port)
}

// isName keeps out what some resolvers take for an address in disguise, such as 0x7f.1 or 2130706433.
func isName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last != "" && (last[0] < '0' || last[0] > '9')
}

// Hosts lists what was named.
func (p *Policy) Hosts() []string {
	list := make([]string, 0, len(p.hosts))
	for h := range p.hosts {
		list = append(list, h)
	}
	return list
}

// Check refuses addresses whose host may not be contacted. What a name leads to is seen when it is dialled.
func (p *Policy) Check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return ErrNotAllowed
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	standard := port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443"
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return ErrNotAllowed
		}
		if p.public && (isPublic(addr.Unmap()) || p.named(addr.Unmap(), port)) {
			return nil
		}
		host = addr.Unmap().String()
	} else if !isName(host) {
		return ErrNotAllowed
	} else if p.public {
		return nil
	}
	if p.hosts[joined(host, port)] || standard && p.hosts[host] {
		return nil
	}
	return ErrNotAllowed
}

// resolve looks a host up for one connection, which then goes to just the addresses that were checked:
// a second answer of the name server comes too late.
func (p *Policy) resolve(ctx context.Context, address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = p.lookup(ctx, strings.TrimSuffix(host, ".")); err != nil {
		return nil, err
	}
	var pinned []string
	for _, a := range addrs {
		if a = a.Unmap(); a.Zone() == "" && (isPublic(a) || p.named(a, port)) {
			pinned = append(pinned, net.JoinHostPort(a.String(), port))
		}
	}
	if len(pinned) == 0 {
		return nil, ErrPrivate
	}
	return pinned, nil
}

func (p *Policy) named(a netip.Addr, port string) bool {
	for _, n := range p.nets {
		if n.prefix.Contains(a) && (n.port == "" || n.port == port) {
			return true
		}
	}
	return false
}

// special are networks beside those that netip knows: shared, protocol, benchmark and reserved ones, and forms of
// IPv6 that carry an address of IPv4 in them.
var special = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fec0::/10", "3fff::/20", "5f00::/16")

func prefixes(list ...string) (all []netip.Prefix) {
	for _, text := range list {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// isPublic tells whether an address is one of the Internet's and not of somebody's own network.
func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// Transport makes connections that the policy allows. It uses no proxy, which would resolve names itself.
// headers is how long a server may take to begin its answer.
func (p *Policy) Transport(headers time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			pinned, err := p.resolve(ctx, address)
			if err != nil {
				return nil, err
			}
			for _, at := range pinned {
				var conn net.Conn
				if conn, err = dialer.DialContext(ctx, network, at); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headers,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true, // what comes is passed on as it is
		ForceAttemptHTTP2:     true,
	}
}

// Redirect is a http.Client's CheckRedirect: a redirect leads only where the policy allows.
func (p *Policy) Redirect(r *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return errors.New("too many redirects")
	}
	r.Header.Del("Referer")
	return p.Check(r.URL)
}
