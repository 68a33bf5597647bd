//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// status is the state of a server, as the PID file and the exit code of `kolibri status` tell it
// (kolibri/utils/server/__init__.py).
type status int

// The states.
const (
	running          status = 0
	stopped          status = 1
	startingUp       status = 4
	notResponding    status = 5
	failedToStart    status = 6
	uncleanShutdown  status = 7
	unknownInstance  status = 8
	misconfigured    status = 9
	shuttingDown     status = 10
	invalidPIDFile   status = 100
	pidFile                 = "server.pid"
	controlFile             = "process_control.flag"
	daemonLog               = "logs/daemon.txt"
	commandStop             = "stop"
	commandRestart          = "restart"
	waitForServer           = 10 * time.Second
	statusTimeout           = 3 * time.Second
	controlPoll             = 250 * time.Millisecond
	processPoll             = 50 * time.Millisecond
	startupTimeout          = time.Minute
	filePermissions         = 0o644
	folderPermission        = 0o755
)

func (s status) message(home string) string {
	switch s {
	case running:
		return "OK, running"
	case stopped:
		return "Stopped"
	case startingUp:
		return "Starting up"
	case notResponding:
		return "Not responding"
	case failedToStart:
		return "Failed to start (check log file: " + filepath.Join(home, daemonLog) + ")"
	case uncleanShutdown:
		return "Unclean shutdown"
	case unknownInstance:
		return "Unknown Kolibri running on port"
	case misconfigured:
		return "Kolibri server configuration error"
	case shuttingDown:
		return "Shutting down"
	case invalidPIDFile:
		return "Invalid PID file"
	}
	return "Could not determine status"
}

// process is what a PID file says: one number a line, as the original writes and reads it.
type process struct {
	PID, Port, ZipPort int
	Status             status
}

func (p process) write(home string) error {
	text := fmt.Sprintf("%d\n%d\n%d\n%d\n", p.PID, p.Port, p.ZipPort, p.Status)
	return writeFile(filepath.Join(home, pidFile), []byte(text))
}

// writeFile replaces a file at once, so that nobody reads half of it.
func writeFile(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, filePermissions); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// readProcess reads the PID file. Without one the server is stopped; one that nobody can read is invalid.
func readProcess(home string) process {
	text, err := os.ReadFile(filepath.Join(home, pidFile))
	if errors.Is(err, os.ErrNotExist) {
		return process{Status: stopped}
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if err != nil || len(lines) != 4 {
		return process{Status: invalidPIDFile}
	}
	var numbers [4]int
	for i, l := range lines {
		if l = strings.TrimSpace(l); l == "" && (i == 1 || i == 2) {
			continue
		}
		if numbers[i], err = strconv.Atoi(l); err != nil {
			return process{Status: invalidPIDFile}
		}
	}
	return process{numbers[0], numbers[1], numbers[2], status(numbers[3])}
}

// alive tells whether the process is there.
func (p process) alive() bool {
	if p.PID <= 0 {
		return false
	}
	err := syscall.Kill(p.PID, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// active tells whether the PID file's state is one of a server that works.
func (p process) active() bool {
	return p.Status == running || p.Status == startingUp || p.Status == shuttingDown
}

// present tells whether the PID file's server is there. The number alone does not say so: after a
// crash or a new start of the machine another program may have it.
func (p process) present(s *settings) bool {
	if !p.active() || !p.alive() {
		return false
	}
	if p.Status == startingUp { // it does not listen yet
		info, err := os.Stat(filepath.Join(s.Home, pidFile))
		return err == nil && time.Since(info.ModTime()) < startupTimeout
	}
	conn, err := net.DialTimeout("tcp", s.at(p.Port), statusTimeout)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// at is the address of a port at which this machine reaches the server.
func (s *settings) at(port int) string { return net.JoinHostPort(s.reachable(), strconv.Itoa(port)) }

// inspect finds out how the server of a home is doing, by its PID file and by asking it.
func inspect(s *settings) (process, status) {
	p := readProcess(s.Home)
	if p.Status == startingUp && p.alive() {
		waitUntil(waitForServer, func() bool { p = readProcess(s.Home); return p.Status != startingUp || !p.alive() })
		if p.Status == startingUp && p.alive() {
			return p, failedToStart
		}
	}
	switch {
	case !p.active():
		return p, p.Status
	case !p.alive():
		return p, uncleanShutdown
	case p.Status == shuttingDown:
		if waitUntil(waitForServer, func() bool { return !p.alive() }) {
			return p, stopped
		}
		return p, uncleanShutdown
	}
	client := http.Client{Timeout: statusTimeout}
	answer, err := client.Get(fmt.Sprintf("http://%s%sstatus/", s.at(p.Port), s.URLPathPrefix))
	if err != nil {
		return p, notResponding
	}
	answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
		return p, running
	case http.StatusNotFound:
		return p, unknownInstance
	}
	return p, misconfigured
}

// reachable is an address at which this machine reaches a server that listens on ListenAddress.
func (s *settings) reachable() string {
	ip := net.ParseIP(s.ListenAddress)
	switch {
	case ip == nil, ip.Equal(net.IPv4zero):
		return "127.0.0.1"
	case ip.IsUnspecified():
		return "::1"
	}
	return s.ListenAddress
}

// urls are the addresses at which people reach the server.
func (s *settings) urls(port int) []string {
	hosts := []string{s.ListenAddress}
	if ip := net.ParseIP(s.ListenAddress); ip != nil && ip.IsUnspecified() {
		hosts = localAddresses()
	}
	var urls []string
	for _, h := range hosts {
		urls = append(urls, "http://"+net.JoinHostPort(h, strconv.Itoa(port))+s.URLPathPrefix)
	}
	return urls
}

// localAddresses are the IPv4 addresses of this machine's interfaces, without the self-assigned ones.
func localAddresses() []string {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return []string{"127.0.0.1"}
	}
	var hosts []string
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLinkLocalUnicast() {
			hosts = append(hosts, n.IP.String())
		}
	}
	return hosts
}

// waitUntil asks again and again until done or the time is over, and tells whether it is done.
func waitUntil(limit time.Duration, done func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(processPoll) {
		if done() {
			return true
		}
	}
	return done()
}

// statusVerb prints the state in the first line of the error output and ends with its number.
func statusVerb(c *command, args []string) int {
	s, code := c.settings("status", args, nil)
	if s == nil {
		return code
	}
	p, st := inspect(s)
	fmt.Fprintf(c.err, "%s (%d)\n", st.message(s.Home), st)
	if st == running {
		fmt.Fprint(c.err, "Kolibri running on:\n\n")
		for _, u := range s.urls(p.Port) {
			fmt.Fprintf(c.err, "\t%s\n", u)
		}
	}
	return int(st)
}

// stop ends the server of this home, by the file that the original watches too; a server that does
// not listen to it is killed.
func stop(c *command, args []string) int {
	s, code := c.settings("stop", args, nil)
	if s == nil {
		return code
	}
	p := readProcess(s.Home)
	switch {
	case p.Status == stopped:
		fmt.Fprintln(c.err, "Already stopped: Stopped")
		return 0
	case p.Status == invalidPIDFile:
		fmt.Fprintln(c.err, p.Status.message(s.Home)+":", filepath.Join(s.Home, pidFile))
		return int(invalidPIDFile)
	case p.present(s) || p.Status == shuttingDown && p.alive():
		if err := control(s.Home, commandStop); err != nil {
			return c.fail(err)
		}
		if !waitUntil(waitForServer, func() bool { return !p.alive() }) {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
			if !waitUntil(waitForServer, func() bool { return !p.alive() }) {
				fmt.Fprintln(c.err, "Kolibri process has failed to shutdown")
				return int(uncleanShutdown)
			}
		}
	}
	// what a killed server left
	if readProcess(s.Home).PID == p.PID {
		_ = os.Remove(filepath.Join(s.Home, pidFile))
	}
	fmt.Fprintln(c.err, "Kolibri server has successfully been stopped.")
	return 0
}

// restart makes a running server start anew.
func restart(c *command, args []string) int {
	s, code := c.settings("restart", args, nil)
	if s == nil {
		return code
	}
	before := readProcess(s.Home)
	if before.present(s) {
		path := filepath.Join(s.Home, pidFile)
		old, err := os.Stat(path)
		if err == nil {
			err = control(s.Home, commandRestart)
		}
		if err != nil {
			return c.fail(err)
		}
		if waitUntil(startupTimeout, func() bool {
			now, err := os.Stat(path)
			return err == nil && now.ModTime().After(old.ModTime()) && readProcess(s.Home).Status == running
		}) {
			fmt.Fprintln(c.err, "Kolibri has successfully restarted")
			return 0
		}
	}
	fmt.Fprintln(c.err, "Kolibri has failed to restart - confirm that the server is running")
	return 1
}

// control leaves a command for the running server.
func control(home, text string) error {
	return os.WriteFile(filepath.Join(home, controlFile), []byte(text), filePermissions)
}

// controls reports the commands that appear in the control file from now on.
func controls(home string, done <-chan struct{}) <-chan string {
	path := filepath.Join(home, controlFile)
	modified := func() time.Time {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	commands := make(chan string, 1)
	last := modified()
	go func() {
		tick := time.NewTicker(controlPoll)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			now := modified()
			if !now.After(last) {
				continue
			}
			last = now
			text, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			select {
			case commands <- strings.TrimSpace(string(text)):
			case <-done:
			}
		}
	}()
	return commands
}
