//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"kolibri/core/api"
)

// start serves until it is told to stop: in the foreground, or, as the original does by default, in
// the background.
func start(c *command, args []string) int {
	var foreground, background bool
	port, zipPort, build := -1, -1, ""
	s, code := c.settings("start", args, func(flags *flag.FlagSet) {
		flags.BoolVar(&foreground, "foreground", false, "Stay in the foreground, and log there")
		flags.BoolVar(&background, "background", true, "Run Kolibri as a background process (the default)")
		flags.IntVar(&port, "port", -1, "Port on which Kolibri is being served")
		flags.IntVar(&zipPort, "zip-port", -1, "Port on which zip content is being served")
		flags.StringVar(&build, "build-dir", "", "Folder of the built front end")
	})
	if s == nil {
		return code
	}
	for _, p := range []struct {
		given int
		port  *int
	}{{port, &s.HTTPPort}, {zipPort, &s.ZipListenPort}} {
		if p.given > 65535 {
			return c.usage("kolibri start", fmt.Sprintf("%d is not a port number (0 to 65535).", p.given))
		}
		if p.given >= 0 {
			*p.port = p.given
		}
	}
	if err := unused(s); err != nil {
		return c.fail(err)
	}
	if !foreground && background {
		return c.daemonize(s, args)
	}
	err := c.serve(s, build)
	if errors.Is(err, errRestart) {
		err = again()
	}
	if err != nil {
		return c.fail(err)
	}
	return 0
}

// unused makes sure that no other server works on this home.
func unused(s *settings) error {
	if p := readProcess(s.Home); p.PID != os.Getpid() && p.present(s) {
		return fmt.Errorf("there is another Kolibri server running (process %d, port %d). Please use `kolibri stop` and try again", p.PID, p.Port)
	}
	return nil
}

var errRestart = errors.New("restart")

// again replaces this process by a new one with the same arguments.
func again() error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(exe, os.Args, os.Environ())
}

// serve runs the server until a signal or the control file ends it; it returns errRestart when it
// shall start anew.
func (c *command) serve(s *settings, build string) (err error) {
	if err := os.MkdirAll(s.Home, folderPermission); err != nil {
		return fmt.Errorf("%w: make the folder writable or choose another by KOLIBRI_HOME", err)
	}
	me := process{PID: os.Getpid(), Port: s.HTTPPort, ZipPort: s.ZipListenPort, Status: startingUp}
	if err := me.write(s.Home); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, os.Remove(filepath.Join(s.Home, pidFile)))
	}()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	defer close(done)
	commands := controls(s.Home, done)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	c.log.Info("Starting Kolibri " + api.Version)
	for _, w := range s.warnings {
		c.log.Warn(w)
	}
	listener, err := listen(s.ListenAddress, s.HTTPPort)
	if err != nil {
		return err
	}
	defer listener.Close()
	zipListener, err := listen(s.ListenAddress, s.ZipListenPort)
	if err != nil {
		return fmt.Errorf("zip content: %w", err)
	}
	defer zipListener.Close()
	front, err := findFrontEnd(build, c.log)
	if err != nil {
		return err
	}
	defer front.close()
	h, err := openHome(ctx, s, c.log, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx))) }()
	h.provisionFromFile(ctx)
	me.Port = portOf(listener)
	s.HTTPPort = me.Port
	me.ZipPort = portOf(zipListener)
	if s.ZipContentPort == 0 {
		s.ZipContentPort = me.ZipPort
	}
	apps := zipContent(s, front)
	handler, closeServer, err := assemble(ctx, h, front, apps)
	if err != nil {
		return err
	}
	defer closeServer()
	web := webServer(handler, s.SocketTimeout, c.log)
	few := boundedListener(listener, maxConnections)
	web.ConnState = few.changed
	zipWeb := webServer(apps, s.SocketTimeout, c.log)
	fewZip := boundedListener(zipListener, maxConnections)
	zipWeb.ConnState = fewZip.changed
	failed := make(chan error, 2)
	go func() { failed <- web.Serve(few) }()
	go func() { failed <- zipWeb.Serve(fewZip) }()
	me.Status = running
	if err := me.write(s.Home); err != nil {
		return err
	}
	for _, u := range s.urls(me.Port) {
		c.log.Info("Kolibri running on: " + u)
	}
	notifySystemd("READY=1", c.log)

	var result error
	var drain time.Duration
	for waiting := true; waiting; {
		select {
		case err := <-failed:
			return err
		case sig := <-signals:
			c.log.Info("Gracefully shutting down. To force exit, do it again.", "signal", sig.String())
			drain, waiting = s.DrainTime, false
		case text := <-commands:
			switch text {
			case commandRestart:
				result, waiting = errRestart, false
			case commandStop:
				waiting = false
			}
		}
	}
	me.Status = shuttingDown
	err = me.write(s.Home)
	notifySystemd("STOPPING=1", c.log)
	go func() {
		<-signals
		os.Exit(1)
	}()
	// what stands before this server finds another one while this one still answers
	handler.draining.Store(true)
	web.SetKeepAlivesEnabled(false)
	time.Sleep(drain)
	return errors.Join(result, err, shutDown(web), zipWeb.Close())
}

// shutDown lets requests end, but not for ever.
func shutDown(web *http.Server) error {
	grace, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	err := web.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		return web.Close()
	}
	return err
}

// notifySystemd tells systemd, where it asks, that the service is ready or stops (sd_notify(3)).
func notifySystemd(state string, log *slog.Logger) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	conn, err := net.Dial("unixgram", path)
	if err == nil {
		_, err = conn.Write([]byte(state))
		conn.Close()
	}
	if err != nil {
		log.Warn("systemd could not be told", "state", state, "error", err)
	}
}

// daemonize starts this program again, in the background, and waits until it answers or fails: then
// the user sees why at once.
func (c *command) daemonize(s *settings, args []string) int {
	path := filepath.Join(s.Home, daemonLog)
	if err := os.MkdirAll(filepath.Dir(path), folderPermission); err != nil {
		return c.fail(err)
	}
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, filePermissions)
	if err != nil {
		return c.fail(err)
	}
	defer log.Close()
	exe, err := os.Executable()
	if err != nil {
		return c.fail(err)
	}
	child := exec.Command(exe, append([]string{"start", "--foreground"}, args...)...)
	child.Stdout, child.Stderr = log, log
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return c.fail(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	up := waitUntil(startupTimeout, func() bool {
		select {
		case err = <-ended:
			return true
		default:
			p := readProcess(s.Home)
			return p.PID == child.Process.Pid && p.Status == running
		}
	})
	if p := readProcess(s.Home); up && p.PID == child.Process.Pid {
		fmt.Fprintf(c.err, "Running Kolibri as background process, logging to %s\n", path)
		for _, u := range s.urls(p.Port) {
			fmt.Fprintln(c.err, "Kolibri running on:", u)
		}
		return 0
	}
	if text, readErr := os.ReadFile(path); readErr == nil {
		_, _ = c.err.Write(text)
	}
	if up {
		return 1
	}
	return c.fail(fmt.Errorf("the server did not start within %s, see %s", startupTimeout, path))
}
