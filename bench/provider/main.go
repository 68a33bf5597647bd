//go:build unix

// Command provider measures the provider service (`kolibri provider`) as its callers meet it, over a
// stand-in of a Kolibri in this process whose own time is small: calls that are answered from the cache,
// ten thousand callers at once, and lists of many users.
//
//	go run ./bench/provider -kolibri bin/kolibri
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	token   = "token of the benchmark"
	calls   = 5000
	callers = 10_000
)

func main() {
	command := flag.String("kolibri", "bin/kolibri", "the native command")
	flag.Parse()
	if err := run(*command); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(command string) error {
	k, err := newSchool()
	if err != nil {
		return err
	}
	defer k.server.Close()
	s, err := start(command)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, size := range []int{100, 5000, 50_000, 200_000} {
		if err := s.register(size, k.url+"/"+strconv.Itoa(size)); err != nil {
			return err
		}
	}
	fmt.Println("| measured | value |\n| --- | ---: |")
	if err := s.cached(); err != nil {
		return err
	}
	if err := s.lists(); err != nil {
		return err
	}
	return s.crowd(k)
}

// cached asks for the same list again and again on one connection.
func (s *service) cached() error {
	var times []time.Duration
	for i := range calls + 100 {
		began := time.Now()
		if _, err := s.get("/api/users?id=100&limit=100"); err != nil {
			return err
		}
		if i >= 100 {
			times = append(times, time.Since(began))
		}
	}
	slices.Sort(times)
	for _, p := range []int{50, 95, 99} {
		fmt.Printf("| cached list of 100 users, p%d of %d calls | %.3f ms |\n", p, calls, times[len(times)*p/100].Seconds()*1000)
	}
	return nil
}

// lists streams whole schools and looks at the most memory that the service ever had.
func (s *service) lists() error {
	for _, size := range []int{5000, 50_000, 200_000} {
		began := time.Now()
		n, err := s.get(fmt.Sprintf("/api/users?id=%d", size))
		if err != nil {
			return err
		}
		took := time.Since(began)
		memory, err := s.memory()
		if err != nil {
			return err
		}
		fmt.Printf("| list of %d users, %.1f MB | %.2f s, most memory so far %d MB |\n", size, float64(n)/1e6, took.Seconds(), memory>>10)
	}
	return nil
}

// crowd has ten thousand callers ask at once for what nobody has asked for, of a provider without a session.
func (s *service) crowd(k *school) error {
	if err := s.register(100, k.url+"/100"); err != nil {
		return err
	}
	before := k.signIns.Load()
	var wait, ready sync.WaitGroup
	var failed atomic.Int64
	open := make(chan struct{})
	times := make([]time.Duration, callers)
	address := strings.TrimPrefix(s.url, "http://")
	for i := range callers {
		ready.Add(1)
		wait.Go(func() {
			conn, err := net.Dial("tcp", address) // all are connected before the first asks
			ready.Done()
			if err != nil {
				failed.Add(1)
				return
			}
			defer conn.Close()
			<-open
			began := time.Now()
			_ = conn.SetDeadline(began.Add(2 * time.Minute))
			fmt.Fprintf(conn, "GET /api/users?id=100&search=somebody HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nConnection: close\r\n\r\n", token)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
			}
			if err != nil || res.StatusCode != http.StatusOK {
				failed.Add(1)
			}
			times[i] = time.Since(began)
		})
	}
	ready.Wait()
	began := time.Now()
	close(open)
	wait.Wait()
	took := time.Since(began)
	slices.Sort(times)
	memory, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Printf("| %d callers at once | %d sign-ins, %d errors, %.2f s in all, p50 %.2f s, most memory so far %d MB |\n", callers,
		k.signIns.Load()-before, failed.Load(), took.Seconds(), times[callers/2].Seconds(), memory>>10)
	return nil
}

// service is a running `kolibri provider`.
type service struct {
	process *exec.Cmd
	home    string
	url     string
}

func start(command string) (*service, error) {
	home, err := os.MkdirTemp("", "provider")
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(command)
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, "provider", "--listen", "127.0.0.1:0", "--allow-host", "127.0.0.1", "--fresh", "1h", "--rate", "0")
	c.Env = append(os.Environ(), "KOLIBRI_HOME="+home, "KOLIBRI_PROVIDER_TOKEN="+token, "KOLIBRI_PROVIDER_KEY="+base64.StdEncoding.EncodeToString(key))
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &service{process: c, home: home}
	line, err := bufio.NewReader(out).ReadString('\n')
	if s.url = strings.TrimSuffix(regexp.MustCompile(`http://\S+`).FindString(line), "/"); s.url == "" {
		s.stop()
		return nil, fmt.Errorf("the service does not start: %s %w", line, err)
	}
	return s, nil
}

func (s *service) stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
	_ = os.RemoveAll(s.home)
}

// memory is the most that the process ever had, in KiB.
func (s *service) memory() (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+)`).FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("the system does not tell how much memory a process has")
	}
	return strconv.Atoi(string(found[1]))
}

// get reads an answer to its end and returns its length.
func (s *service) get(path string) (int64, error) {
	return s.send(http.MethodGet, path, nil, http.StatusOK)
}

func (s *service) send(method, path string, body io.Reader, status int) (int64, error) {
	r, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != status {
		err = fmt.Errorf("%s %s answers %d", method, path, res.StatusCode)
	}
	return n, err
}

func (s *service) register(id int, base string) error {
	_, err := s.send(http.MethodPost, "/api/providers", bytes.NewBufferString(fmt.Sprintf(
		`{"id":%d,"type":"kolibri","base_url":%q,"username":"admin","password":"admin"}`, id, base)), http.StatusCreated)
	return err
}

// school is a stand-in for Kolibris of any number of users, which stands first in its addresses.
type school struct {
	server  *http.Server
	url     string
	signIns atomic.Int64
}

func newSchool() (*school, error) {
	k := &school{}
	const session = `{"user_id":"admin","facility_id":"facility","kind":["admin"]}`
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, text string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
	mux.HandleFunc("PUT /{size}/api/auth/session/current/", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "kolibri_csrftoken", Value: "token"})
		answer(w, session)
	})
	mux.HandleFunc("POST /{size}/api/auth/session/", func(w http.ResponseWriter, _ *http.Request) {
		k.signIns.Add(1)
		time.Sleep(200 * time.Millisecond) // checking a password takes a Kolibri its time
		http.SetCookie(w, &http.Cookie{Name: "kolibri", Value: "session"})
		answer(w, session)
	})
	mux.HandleFunc("GET /{size}/api/auth/facilityuser/", func(w http.ResponseWriter, r *http.Request) {
		total, page, size := 0, 1, 500
		_, _ = fmt.Sscan(r.PathValue("size"), &total)
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &page)
		_, _ = fmt.Sscan(r.URL.Query().Get("page_size"), &size)
		var b bytes.Buffer
		fmt.Fprintf(&b, `{"page":%d,"count":%d,"total_pages":%d,"results":[`, page, total, max((total+size-1)/size, 1))
		for i := (page - 1) * size; i < min(page*size, total); i++ {
			if i > (page-1)*size {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"id":"%032x","username":"user%06d","full_name":"Somebody %d","facility":"facility","roles":[],"is_superuser":false,"id_number":"N-%d",
				"gender":"NOT_SPECIFIED","birth_year":"2012","extra_demographics":null,"date_joined":"2026-01-02T03:04:05.678901Z"}`, i, i, i, i)
		}
		b.WriteString("]}")
		answer(w, b.String())
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k.url = "http://" + l.Addr().String()
	k.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = k.server.Serve(l) }()
	return k, nil
}
