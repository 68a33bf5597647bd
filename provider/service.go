//go:build unix

// Package provider is a service between a product and the learning platforms it uses: one API over all
// of them, one kept session with each, whatever the number of callers.
package provider

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"kolibri/egress"
	"kolibri/provider/answers"
	"kolibri/provider/canvas"
	"kolibri/provider/kolibri"
	"kolibri/provider/pictures"
	"kolibri/provider/platform"
	"kolibri/provider/registry"
	"kolibri/provider/session"
	"kolibri/provider/upstream"
)

// Config is what a Service needs.
type Config struct {
	Token    string // that callers must show
	Callback string // where details of unknown providers are asked for; empty: nowhere
	Registry *registry.Registry
	Policy   *egress.Policy // what providers' addresses may be
	Log      *slog.Logger
	// PublicURL is where browsers reach this service, which OAuth needs; empty: it is not offered, and
	// pictures have addresses without a host.
	PublicURL string
	// Wait is how long callers wait for details of an unknown provider.
	Wait time.Duration
	// Timeout is how long callers wait for the beginning of an answer.
	Timeout time.Duration
	// Fresh is how long an answer is given again without asking the provider.
	Fresh time.Duration
	// CacheDir is where answers are kept meanwhile, CacheBytes how many of them.
	CacheDir   string
	CacheBytes int64
	// DataDir is where files of providers and the search index are kept; empty: what needs them is not offered.
	DataDir    string
	MediaBytes int64 // of files that are kept; 0 is 4 GB
	// Extract is the command of a process that calls extract.Child; empty: documents' texts are not read.
	Extract []string
	// Rate is how many requests a second one address may make on average; 0 is any number.
	Rate float64
	// Session bounds how sessions are kept; zero values have defaults.
	Session session.Options
}

// Service answers the API. Make one with New and end it with Close.
type Service struct {
	config    Config
	transport *http.Transport
	callback  *callback
	answers   *answers.Cache
	metrics   *Metrics
	limits    *limits
	mux       *http.ServeMux
	consents  consents
	pictures  *pictures.Pictures
	cursorKey []byte
	compute   *compute // nil where it is not offered
	ends      context.CancelFunc
	work      sync.WaitGroup

	mu   sync.Mutex
	live map[string]*live
	// epoch counts changes of providers' details
	epoch uint64
}

// live is a provider in use.
type live struct {
	platform.Platform
	provider registry.Provider
	client   *upstream.Client
	state    func() string
}

// New makes a service. Nothing is contacted before it is asked for.
func New(c Config) (*Service, error) {
	if c.Token == "" {
		return nil, errors.New("a token is needed that callers show")
	}
	defaults(&c)
	if err := os.MkdirAll(c.CacheDir, 0o700); err != nil {
		return nil, err
	}
	s := &Service{config: c, transport: upstream.NewTransport(c.Policy), metrics: newMetrics(), limits: newLimits(c.Rate),
		answers: answers.New(c.CacheDir, c.Fresh, c.CacheBytes), live: map[string]*live{}}
	s.consents.byKey = map[string]consent{}
	s.answers.Hits = s.metrics.cached
	var err error
	if s.cursorKey, err = hkdf.Key(sha256.New, []byte(c.Token), nil, "cursors", sha256.Size); err != nil {
		return nil, err
	}
	if s.callback, err = newCallback(c.Callback, c.Token, c.Wait, c.Log, s.metrics); err != nil {
		return nil, err
	}
	if s.pictures, err = pictures.Open(context.Background(), c.Registry.DB(), strings.TrimSuffix(c.PublicURL, "/")+picturesPath); err != nil {
		return nil, err
	}
	if c.DataDir != "" {
		if s.compute, err = newCompute(s); err != nil {
			return nil, err
		}
	}
	s.mux = s.routes()
	var ctx context.Context
	ctx, s.ends = context.WithCancel(context.Background())
	s.work.Go(func() { s.prune(ctx) })
	return s, nil
}

func defaults(c *Config) {
	def := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	def(&c.Wait, 30*time.Second)
	def(&c.Timeout, time.Minute)
	def(&c.Session.FirstDelay, time.Second)
	def(&c.Session.LongestDelay, 2*time.Minute)
	def(&c.Session.Timeout, 30*time.Second)
	if c.CacheBytes == 0 {
		c.CacheBytes = 1 << 30
	}
	if c.CacheDir == "" {
		c.CacheDir = os.TempDir()
	}
}

// Close ends sessions and connections.
func (s *Service) Close() {
	s.ends()
	s.work.Wait()
	if s.compute != nil {
		s.compute.close()
	}
	s.mu.Lock()
	all := s.live
	s.live = map[string]*live{}
	s.mu.Unlock()
	for _, l := range all {
		l.Close()
	}
	s.transport.CloseIdleConnections()
}

// ErrUnknown: nobody told of a provider with this id.
var ErrUnknown = errors.New("this provider is not known")

// provider returns a provider in use, waiting for its details where they have to be asked for.
func (s *Service) provider(ctx context.Context, id string) (*live, error) {
	for {
		l, err := s.known(ctx, id)
		if !errors.Is(err, ErrUnknown) {
			return l, err
		}
		a, err := s.callback.join(id)
		if err != nil {
			return nil, err
		}
		// once more, because its details may have come in between, when nobody waited for them
		if l, err = s.known(ctx, id); !errors.Is(err, ErrUnknown) {
			s.callback.arrived(id)
			return l, err
		}
		if err := s.callback.await(ctx, id, a); err != nil {
			return nil, err
		}
	}
}

// known returns a provider whose details are here already.
func (s *Service) known(ctx context.Context, id string) (*live, error) {
	s.mu.Lock()
	l, epoch := s.live[id], s.epoch
	s.mu.Unlock()
	if l != nil {
		return l, nil
	}
	p, err := s.config.Registry.Provider(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	made, err := s.open(p)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	l = s.live[id]
	current := s.epoch == epoch
	if l == nil && current {
		l = made
		s.live[id] = made
	}
	s.mu.Unlock()
	if l == made {
		return l, nil
	}
	made.Close()
	if l == nil { // its details changed since they were read
		return s.known(ctx, id)
	}
	return l, nil // somebody else was quicker
}

func (s *Service) open(p registry.Provider) (*live, error) {
	log := s.config.Log.With("provider", p.ID)
	client, err := upstream.New(p.BaseURL, s.config.Policy, s.transport, func(state string) {
		log.Warn("the circuit breaker of a provider changed", "state", state)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", platform.ErrForbidden, err)
	}
	o := s.config.Session
	o.Log = log
	o.Count = func(event string) { s.metrics.session(p.ID, event) }
	switch p.Type {
	case registry.Kolibri:
		k := kolibri.New(client, kolibri.Account{Username: p.Username, Password: p.Secrets.Password, Facility: p.Facility}, o)
		return &live{Platform: k, provider: p, client: client, state: k.State}, nil
	case registry.Canvas:
		c := canvas.New(client, canvas.Account{ClientID: p.ClientID, ClientSecret: p.Secrets.ClientSecret, AccessToken: p.Secrets.AccessToken,
			AccountID: p.AccountID}, grants{s.config.Registry, p.ID}, o)
		return &live{Platform: c, provider: p, client: client, state: c.State}, nil
	}
	return nil, fmt.Errorf("%w: a provider of type %q", platform.ErrNotSupported, p.Type)
}

// Register keeps a provider's details, and ends sessions with older ones.
func (s *Service) Register(ctx context.Context, p registry.Provider) error {
	if err := s.config.Registry.Save(ctx, p); err != nil {
		return err
	}
	s.drop(p.ID)
	s.callback.arrived(p.ID)
	return nil
}

// Unregister forgets a provider.
func (s *Service) Unregister(ctx context.Context, id string) error {
	if err := s.config.Registry.Delete(ctx, id); err != nil {
		return err
	}
	s.drop(id)
	s.metrics.forget(id)
	if s.compute != nil {
		return s.compute.forget(ctx, id)
	}
	return nil
}

func (s *Service) drop(id string) {
	s.mu.Lock()
	l := s.live[id]
	delete(s.live, id)
	s.epoch++
	s.mu.Unlock()
	s.forget(id)
	if l != nil {
		l.Close()
	}
}
