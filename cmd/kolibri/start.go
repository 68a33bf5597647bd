package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/server"
	"kolibri/store/sqlite"
)

// start serves until it is told to stop.
func start(c *command, args []string) int {
	options := api.DefaultOptions()
	options.Home = homeDir()
	if port := os.Getenv("KOLIBRI_HTTP_PORT"); port != "" {
		options.HTTPPort, _ = strconv.Atoi(port)
	}
	if port := os.Getenv("KOLIBRI_ZIP_CONTENT_PORT"); port != "" {
		options.ZipContentPort, _ = strconv.Atoi(port)
	}
	if u := os.Getenv("KOLIBRI_CENTRAL_CONTENT_BASE_URL"); u != "" {
		options.CentralContentBaseURL = u
	}
	if a := os.Getenv("KOLIBRI_LISTEN_ADDRESS"); a != "" {
		options.ListenAddress = a
	}
	flags := flag.NewFlagSet("start", flag.ContinueOnError)
	flags.SetOutput(c.err)
	flags.Bool("foreground", false, "")
	flags.IntVar(&options.HTTPPort, "port", options.HTTPPort, "")
	flags.IntVar(&options.ZipContentPort, "zip-port", options.ZipContentPort, "")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	log := slog.New(slog.NewTextHandler(c.err, nil))
	if err := serve(ctx, options, log); err != nil {
		return c.fail(err)
	}
	return 0
}

func serve(ctx context.Context, options api.Options, log *slog.Logger) error {
	handler, closeServer, err := assemble(ctx, options, log)
	if err != nil {
		return err
	}
	defer closeServer()
	listener, err := net.Listen("tcp", net.JoinHostPort(options.ListenAddress, strconv.Itoa(options.HTTPPort)))
	if err != nil {
		return err
	}
	web := &http.Server{Handler: handler, ReadHeaderTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute}
	log.Info("Kolibri is running", "address", listener.Addr().String(), "home", options.Home)
	done := make(chan error, 1)
	go func() { done <- web.Serve(listener) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := web.Shutdown(grace); errors.Is(err, context.DeadlineExceeded) {
		return web.Close()
	}
	return nil
}

// assemble opens the home and makes the handler of everything that is served on the main port.
func assemble(ctx context.Context, options api.Options, log *slog.Logger) (http.Handler, func(), error) {
	db, err := sqlite.Open(ctx, filepath.Join(options.Home, "db.sqlite3"), nil)
	if err != nil {
		return nil, nil, err
	}
	front, root := findBuild(log)
	s, err := server.New(ctx, server.Config{
		Host: api.Host{DB: db, Rand: rand.Reader, Hasher: auth.GoHasher{}, HTTP: http.DefaultTransport,
			Options: options, Log: log, Device: machine{home: options.Home}},
		Build: front,
	})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	mux := http.NewServeMux()
	if root != "" {
		mux.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir(filepath.Join(root, "static")))))
	}
	mux.Handle("/", s)
	return mux, func() { s.Close(); _ = db.Close() }, nil
}

func homeDir() string {
	if dir := os.Getenv("KOLIBRI_HOME"); dir != "" {
		return dir
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return ".kolibri"
	}
	return filepath.Join(dir, ".kolibri")
}

// routes lists the routes that have no handler yet.
func routes(c *command, _ []string) int {
	home, err := os.MkdirTemp("", "kolibri-routes-")
	if err != nil {
		return c.fail(err)
	}
	defer os.RemoveAll(home)
	db, err := sqlite.Open(context.Background(), filepath.Join(home, "db.sqlite3"), nil)
	if err != nil {
		return c.fail(err)
	}
	defer db.Close()
	front, _ := findBuild(slog.New(slog.DiscardHandler))
	s, err := server.New(context.Background(), server.Config{
		Host: api.Host{DB: db, Rand: rand.Reader, Hasher: auth.GoHasher{}, HTTP: http.DefaultTransport,
			Options: api.DefaultOptions(), Log: slog.New(slog.DiscardHandler), Device: machine{home: home}},
		Build: front,
	})
	if err != nil {
		return c.fail(err)
	}
	defer s.Close()
	for _, line := range s.Unbuilt() {
		fmt.Fprintln(c.out, line)
	}
	return 0
}
