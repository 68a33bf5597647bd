//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/egress"
	"kolibri/provider"
	"kolibri/provider/registry"
	"kolibri/store"
)

const (
	providerTokenVariable = "KOLIBRI_PROVIDER_TOKEN"
	providerKeyVariable   = "KOLIBRI_PROVIDER_KEY"
	// these three say the same to the service and to who asks whether it is ready, such as a container's health check
	providerListenVariable  = "KOLIBRI_PROVIDER_LISTEN"
	providerCertVariable    = "KOLIBRI_PROVIDER_CERT"
	providerCertKeyVariable = "KOLIBRI_PROVIDER_CERT_KEY"
	// minToken is the fewest characters of a token that cannot be guessed in time.
	minToken = 16
)

// providerOptions are what the command line of the provider service says.
type providerOptions struct {
	listen, cert, key string
	database          string
	logFormat         string
	hosts             []string
	debug             bool
	config            provider.Config
}

// providerVerb runs the service between a product and the learning platforms it uses.
func providerVerb(c *command, args []string) int {
	var o providerOptions
	flags := flag.NewFlagSet("provider", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.listen, "listen", cmp.Or(os.Getenv(providerListenVariable), "127.0.0.1:8095"), "Address and port of the API; :8095 is every address of this computer ("+providerListenVariable+")")
	flags.StringVar(&o.config.Token, "token", os.Getenv(providerTokenVariable), "What callers show in their Authorization header ("+providerTokenVariable+")")
	flags.StringVar(&o.config.Callback, "callback", "", "Address that is POSTed {\"provider_id\": ...} when details of a provider are missing")
	flags.StringVar(&o.config.PublicURL, "public-url", "", "Address under which browsers find this service, for OAuth")
	flags.StringVar(&o.database, "database", "", "File in which providers are kept (provider/provider.sqlite3 in KOLIBRI_HOME)")
	flags.StringVar(&o.cert, "cert", os.Getenv(providerCertVariable), "File with a certificate: the service speaks https ("+providerCertVariable+")")
	flags.StringVar(&o.key, "key", os.Getenv(providerCertKeyVariable), "File with the certificate's key ("+providerCertKeyVariable+")")
	flags.Func("allow-host", "Host or network of your own that providers may be in, such as 192.168.1.20:8080 or 10.1.0.0/16 (may be given again); those of the Internet always may", func(text string) error {
		o.hosts = append(o.hosts, text)
		return nil
	})
	flags.DurationVar(&o.config.Wait, "wait", 30*time.Second, "How long callers wait for details of an unknown provider")
	flags.DurationVar(&o.config.Timeout, "timeout", time.Minute, "How long callers wait for the beginning of an answer")
	flags.DurationVar(&o.config.Fresh, "fresh", 30*time.Second, "How long an answer is given again without asking the provider")
	flags.Float64Var(&o.config.Rate, "rate", 1000, "Requests a second that one address may make on average, 20 times as many at once; 0 is any number")
	flags.StringVar(&o.logFormat, "log-format", "text", "text, or json for a collector")
	flags.BoolVar(&o.debug, "debug", false, "Log more")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.out, "Usage: kolibri provider [OPTIONS]\n\n  One API over many learning platforms: see docs/provider.md.\n  "+providerKeyVariable+
			" is the key that secrets are kept under, 32 bytes in base64 (openssl rand -base64 32).\n  With the word ready at the end it tells whether the service at --listen is ready.\n\nOptions:\n")
		flags.VisitAll(func(f *flag.Flag) { fmt.Fprintf(c.out, "  --%-12s %s\n", f.Name, f.Usage) })
		return 0
	case err != nil:
		return c.usage("kolibri provider", strings.TrimPrefix(err.Error(), "flag provided but not defined: ")+": see the options.")
	case flags.NArg() == 1 && flags.Arg(0) == "ready": // for containers without any other program
		if err := o.ready(); err != nil {
			return c.fail(err)
		}
		return 0
	case flags.NArg() > 0:
		return c.usage("kolibri provider", fmt.Sprintf("Got unexpected extra argument (%s)", flags.Arg(0)))
	case len(o.config.Token) < minToken:
		return c.usage("kolibri provider", fmt.Sprintf("--token or %s needs at least %d characters.", providerTokenVariable, minToken))
	case (o.cert == "") != (o.key == ""):
		return c.usage("kolibri provider", "--cert and --key go together.")
	case o.logFormat != "text" && o.logFormat != "json":
		return c.usage("kolibri provider", "--log-format is text or json.")
	}
	c.log = newLog(c.err, &settings{Options: api.Options{Debug: o.debug}, LogFormat: o.logFormat})
	if err := c.provider(o); err != nil {
		return c.fail(err)
	}
	return 0
}

func (o *providerOptions) scheme() string {
	if o.cert != "" {
		return "https"
	}
	return "http"
}

// ready returns why the service at --listen is not ready.
func (o *providerOptions) ready() error {
	host, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return askReady(o.scheme() + "://" + net.JoinHostPort(host, port))
}

func (c *command) provider(o providerOptions) error {
	key, err := registry.ParseKey(os.Getenv(providerKeyVariable))
	if err != nil {
		return fmt.Errorf("%s: %w", providerKeyVariable, err)
	}
	home, err := homeDir()
	if err != nil {
		return err
	}
	if o.database == "" {
		o.database = filepath.Join(home, "provider", "provider.sqlite3")
	}
	if o.config.Policy, err = egress.Public(o.hosts, nil); err != nil {
		return err
	}
	o.config.Registry, err = registry.Open(context.Background(), o.database, key)
	var failed *store.OpenError
	if errors.As(err, &failed) && failed.Hint != "" {
		return fmt.Errorf("%w\n%s", err, failed.Hint)
	}
	if err != nil {
		return err
	}
	defer o.config.Registry.Close()
	o.config.Log, o.config.CacheDir = c.log, filepath.Join(filepath.Dir(o.database), "answers")
	o.config.DataDir = filepath.Join(filepath.Dir(o.database), "data")
	program, err := os.Executable()
	if err != nil {
		return err
	}
	o.config.Extract = []string{program}
	service, err := provider.New(o.config)
	if err != nil {
		return err
	}
	defer service.Close()
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("%w: choose another address by --listen", err)
	}
	fmt.Fprintf(c.out, "The provider service is at %s\n", strings.Join(addressesOf(o.scheme(), listener.Addr()), " "))
	return serveSockets(listener, impatient(observe(service, service.Observer(), c.log, true), relaySocketTimeout), o.cert, o.key, c.log, func() {})
}
