// Package gateway lets paired tabs reach servers that do not allow other sites' pages to read from
// them: those that the operator has named, and no others. A browser tells a page nothing of an answer
// from elsewhere unless that server agrees (CORS); the gateway agrees in its place.
package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Gateway answers /<scheme>/<host>/<path>. It does not ask who asks: its caller does.
type Gateway struct {
	hosts  map[string]bool // name or name:port
	nets   []netip.Prefix  // private addresses that were named
	client *http.Client
	log    *slog.Logger
}

// Errors of targets.
var (
	ErrNotAllowed = errors.New("this host is not one that --allow-host names")
	ErrPrivate    = errors.New("this name leads to a private address that --allow-host does not name")
)

const (
	maxRedirects  = 5
	dialTimeout   = 10 * time.Second
	headerTimeout = 60 * time.Second
	maxUpload     = 1 << 30
)

// New makes a gateway to the named hosts: "studio.example", "192.168.1.20:8080", or a network such as
// "192.168.1.0/24" that allowed names may lead to. A host without a port is meant with 80 and 443. lookup resolves names; nil is the system's.
func New(allowed []string, lookup func(ctx context.Context, name string) ([]netip.Addr, error), log *slog.Logger) (*Gateway, error) {
	g := &Gateway{hosts: map[string]bool{}, log: log}
	for _, text := range allowed {
		if err := g.allow(strings.ToLower(strings.TrimSpace(text))); err != nil {
			return nil, err
		}
	}
	if lookup == nil {
		lookup = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		}
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	transport := &http.Transport{
		// no proxy: it would resolve names itself
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			pinned, err := g.resolve(ctx, address, lookup)
			if err != nil {
				return nil, err
			}
			for _, p := range pinned {
				var conn net.Conn
				if conn, err = dialer.DialContext(ctx, network, p); err == nil {
					return conn, nil
				}
			}
			return nil, err
		},
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: headerTimeout,
		IdleConnTimeout:       30 * time.Second,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true, // what comes is passed on as it is
		ForceAttemptHTTP2:     true,
	}
	g.client = &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return errors.New("too many redirects")
		}
		r.Header.Del("Referer")
		return g.check(r.URL)
	}}
	return g, nil
}

func (g *Gateway) allow(text string) error {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		g.nets = append(g.nets, prefix.Masked())
		return nil
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		g.addAddr(addr, "")
		return nil
	}
	if ap, err := netip.ParseAddrPort(text); err == nil {
		g.addAddr(ap.Addr(), strconv.Itoa(int(ap.Port())))
		return nil
	}
	name, port := text, ""
	if n, p, err := net.SplitHostPort(text); err == nil {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return fmt.Errorf("--allow-host %q: no port", text)
		}
		name, port = n, p
	}
	if !isName(name) {
		return fmt.Errorf("--allow-host %q is no host such as studio.learningequality.org or 192.168.1.20:8080", text)
	}
	g.hosts[joined(name, port)] = true
	return nil
}

func (g *Gateway) addAddr(addr netip.Addr, port string) {
	addr = addr.Unmap().WithZone("")
	g.hosts[joined(addr.String(), port)] = true
	g.nets = append(g.nets, netip.PrefixFrom(addr, addr.BitLen()))
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

// Hosts lists what is allowed, for the tab.
func (g *Gateway) Hosts() []string {
	list := make([]string, 0, len(g.hosts))
	for h := range g.hosts {
		list = append(list, h)
	}
	return list
}

// check refuses addresses whose host was not named.
func (g *Gateway) check(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return ErrNotAllowed
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return ErrNotAllowed
		}
		host = addr.Unmap().String()
	} else if !isName(host) {
		return ErrNotAllowed
	}
	standard := port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443"
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	if g.hosts[joined(host, port)] || standard && g.hosts[host] {
		return nil
	}
	return ErrNotAllowed
}

// resolve looks a host up for one connection, which then goes to just the addresses that were checked:
// a second answer of the name server comes too late.
func (g *Gateway) resolve(ctx context.Context, address string, lookup func(context.Context, string) ([]netip.Addr, error)) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else if addrs, err = lookup(ctx, strings.TrimSuffix(host, ".")); err != nil {
		return nil, err
	}
	var pinned []string
	for _, a := range addrs {
		if a = a.Unmap(); a.Zone() == "" && (isPublic(a) || g.named(a)) {
			pinned = append(pinned, net.JoinHostPort(a.String(), port))
		}
	}
	if len(pinned) == 0 {
		return nil, ErrPrivate
	}
	return pinned, nil
}

func (g *Gateway) named(a netip.Addr) bool {
	for _, n := range g.nets {
		if n.Contains(a) {
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

// target reads /<scheme>/<host>/<path>?<query>.
func target(r *http.Request) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	host, path, _ := strings.Cut(rest, "/")
	u, err := url.Parse(scheme + "://" + host + "/" + path)
	if err != nil {
		return nil, ErrNotAllowed
	}
	u.RawQuery = r.URL.RawQuery
	return u, nil
}

// Allow gives an answer the headers that let a page of any site read it.
func Allow(header http.Header, r *http.Request) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "*")
	header.Set("Access-Control-Max-Age", "600")
	header.Add("Vary", "Origin")
	if method := r.Header.Get("Access-Control-Request-Method"); method != "" {
		header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		header.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		header.Set("Access-Control-Allow-Private-Network", "true")
	}
}

// passedOn are the headers of a request that concern the server behind the gateway.
var passedOn = []string{"Accept", "Accept-Language", "Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since",
	"If-Range", "Range", "X-Csrftoken", "X-Requested-With"}

// keptBack are the headers of an answer that would mean something else coming from the gateway.
var keptBack = []string{"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Strict-Transport-Security", "Public-Key-Pins", "Alt-Svc", "Connection",
	"Keep-Alive", "Transfer-Encoding", "Trailer", "Upgrade", "Service-Worker-Allowed", "Location", "Refresh",
	"Access-Control-Allow-Credentials"}

// ServeHTTP implements http.Handler.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u, err := target(r)
	if err == nil {
		err = g.check(u)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	body := http.MaxBytesReader(w, r.Body, maxUpload)
	request, err := http.NewRequestWithContext(r.Context(), r.Method, u.String(), body)
	if err != nil {
		http.Error(w, "this request cannot be passed on", http.StatusBadRequest)
		return
	}
	if r.ContentLength == 0 {
		request.Body = http.NoBody
	}
	request.ContentLength = r.ContentLength
	request.Header.Set("User-Agent", "Kolibri relay gateway")
	for _, name := range passedOn {
		if values := r.Header.Values(name); len(values) > 0 {
			request.Header[name] = values
		}
	}
	answer, err := g.client.Do(request)
	if err != nil {
		g.fail(w, u, err)
		return
	}
	defer answer.Body.Close()
	header := w.Header()
	for name, values := range answer.Header {
		if !strings.HasPrefix(name, "Access-Control-") {
			header[name] = values
		}
	}
	for _, name := range keptBack {
		header.Del(name)
	}
	Allow(header, r)
	header.Set("X-Relay-Url", answer.Request.URL.String())
	// opened by itself in a browser, nothing of another site runs with this one's rights
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(answer.StatusCode)
	if _, err := io.Copy(w, answer.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (g *Gateway) fail(w http.ResponseWriter, u *url.URL, err error) {
	g.log.Info("the gateway could not reach a host", "host", u.Host, "error", err)
	status, text := http.StatusBadGateway, "the host "+u.Host+" cannot be reached"
	var netErr net.Error
	switch {
	case errors.Is(err, ErrNotAllowed):
		status, text = http.StatusForbidden, ErrNotAllowed.Error()
	case errors.Is(err, ErrPrivate):
		status, text = http.StatusForbidden, ErrPrivate.Error()
	case errors.As(err, &netErr) && netErr.Timeout():
		status, text = http.StatusGatewayTimeout, "the host "+u.Host+" does not answer"
	}
	http.Error(w, text, status)
}
