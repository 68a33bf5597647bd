//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kolibri/relay"
	"kolibri/relay/depot"
	"kolibri/relay/gateway"
)

// relayOptions are what the command line of the relay says.
type relayOptions struct {
	listen, code, cert, key string
	adminKey, database      string
	appDomain, peer         string
	urls, hosts             []string
	timeout                 time.Duration
	debug                   bool
}

// relaySocketTimeout is how long a client or a tab may send, or take, nothing of what is due.
const relaySocketTimeout = 30 * time.Second

// relayVerb runs a relay: outside requests are answered by browser tabs.
func relayVerb(c *command, args []string) int {
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		return relayApps(c, args[0], args[1:])
	}
	var o relayOptions
	flags := flag.NewFlagSet("relay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8090", "Address and port that tabs and visitors connect to; :8090 is every address of this computer")
	flags.StringVar(&o.code, "code", os.Getenv("KOLIBRI_RELAY_CODE"), "Pairing code that stays valid, at least 6 letters; without it, codes are made that serve once")
	flags.StringVar(&o.cert, "cert", "", "File with a certificate: the relay speaks https")
	flags.StringVar(&o.key, "key", "", "File with the certificate's key")
	flags.Func("url", "Address under which visitors find this relay, if not the one it listens on (may be given again)", func(text string) error {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return errors.New("is no address such as http://192.168.1.5:8090")
		}
		o.urls = append(o.urls, u.Scheme+"://"+u.Host+"/")
		return nil
	})
	flags.Func("allow-host", "Host that paired tabs may reach through the gateway, such as studio.learningequality.org or 192.168.1.20:8080 (may be given again)", func(text string) error {
		o.hosts = append(o.hosts, text)
		return nil
	})
	flags.StringVar(&o.database, "database", os.Getenv("KOLIBRI_RELAY_DATABASE"), "Where deployed apps are kept: a file, or postgres://... for several relays that form one front (a file in KOLIBRI_HOME)")
	flags.StringVar(&o.adminKey, "admin-key", os.Getenv("KOLIBRI_RELAY_ADMIN_KEY"), "What deploying takes (one is made and kept in KOLIBRI_HOME)")
	flags.StringVar(&o.appDomain, "app-domain", "localhost", "Domain below which each app has a host of its own")
	flags.StringVar(&o.peer, "peer-url", "", "Where the other relays of a PostgreSQL database reach this one (the address it listens on)")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "How long a tab may take to begin its answer")
	flags.BoolVar(&o.debug, "debug", false, "Log every request that was not answered")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.out, "Usage: kolibri relay [OPTIONS]\n\n  Lets browser tabs answer requests from outside: see docs/relay.md.\n\nOptions:\n")
		flags.VisitAll(func(f *flag.Flag) { fmt.Fprintf(c.out, "  --%-12s %s\n", f.Name, f.Usage) })
		fmt.Fprint(c.out, relayAppsHelp)
		return 0
	case err != nil:
		return c.usage("kolibri relay", strings.TrimPrefix(err.Error(), "flag provided but not defined: ")+": see the options.")
	case flags.NArg() > 0:
		return c.usage("kolibri relay", fmt.Sprintf("Got unexpected extra argument (%s)", flags.Arg(0)))
	case o.code != "" && len(strings.NewReplacer("-", "", " ", "").Replace(o.code)) < 6:
		return c.usage("kolibri relay", "a code needs at least 6 letters: a shorter one is guessed too soon.")
	case (o.cert == "") != (o.key == ""):
		return c.usage("kolibri relay", "--cert and --key go together.")
	}
	if o.debug {
		c.log = slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if err := c.relay(o); err != nil {
		return c.fail(err)
	}
	return 0
}

func (c *command) relay(o relayOptions) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address by --listen", err)
	}
	defer listener.Close()
	scheme := "http"
	if o.cert != "" {
		scheme = "https"
	}
	addresses := append(o.urls, addressesOf(scheme, listener.Addr())...)
	fmt.Fprintf(c.out, "The relay is at %s\n", strings.Join(addresses, " "))
	home, err := homeDir()
	if err != nil {
		return err
	}
	if o.adminKey == "" {
		if o.adminKey, err = relayKey(home, true); err != nil {
			return err
		}
	}
	if o.database == "" {
		o.database = filepath.Join(home, "relay", "relay.sqlite3")
	}
	apps, err := depot.Open(context.Background(), o.database)
	if err != nil {
		return err
	}
	defer apps.Close()
	config := relay.Config{Code: o.code, Addresses: addresses, Timeout: o.timeout, Log: c.log, Depot: apps, AdminKey: o.adminKey,
		AppDomain: o.appDomain, Fresh: func(code string) {
			fmt.Fprintf(c.out, "Pairing code: %s (for one tab, within 10 minutes)\n", code)
		}}
	if strings.HasPrefix(o.database, "postgres") {
		if config.PeerURL = o.peer; o.peer == "" {
			config.PeerURL = strings.TrimSuffix(addressesOf(scheme, listener.Addr())[0], "/")
		}
	}
	if len(o.hosts) > 0 {
		if config.Gateway, err = gateway.New(o.hosts, nil, c.log); err != nil {
			return err
		}
	}
	r, err := relay.New(config)
	if err != nil {
		return err
	}
	if o.code != "" {
		fmt.Fprintf(c.out, "Pairing code: %s\n", o.code)
	}
	return serveSockets(listener, impatient(r, relaySocketTimeout), o.cert, o.key, c.log, r.Close)
}

// serveSockets serves a service of its own until it fails or is told to end: then end is called, and
// requests get the time that shutDown gives them. A second signal ends it at once.
func serveSockets(listener net.Listener, handler http.Handler, cert, key string, log *slog.Logger, end func()) error {
	web := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	failed := make(chan error, 1)
	go func() {
		if cert != "" {
			failed <- web.ServeTLS(listener, cert, key)
		} else {
			failed <- web.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-signals:
	}
	go func() {
		<-signals
		os.Exit(1)
	}()
	end()
	return shutDown(web)
}

// addressesOf lists where a listener can be reached: on every address of the computer, if it listens
// on all; those of other computers' networks first.
func addressesOf(scheme string, at net.Addr) []string {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		return nil
	}
	address := func(host string) string {
		return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(tcp.Port)) + "/"
	}
	if !tcp.IP.IsUnspecified() {
		return []string{address(tcp.IP.String())}
	}
	var list []string
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		interfaces = nil
	}
	for _, i := range interfaces {
		if n, ok := i.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			list = append(list, address(n.IP.String()))
		}
	}
	return append(list, address("127.0.0.1"))
}
