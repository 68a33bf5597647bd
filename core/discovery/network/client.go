package network

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/api/nesting"
)

// connectTimeout bounds one attempt to find out whether a Kolibri answers.
const connectTimeout = 10 * time.Second

// readTimeout bounds any other request.
const readTimeout = 60 * time.Second

// maxAnswer is how much of another device's answer is read into memory.
const maxAnswer = 8 << 20

// Info is what another device says of itself.
type Info struct {
	Application      string  `json:"application"`
	KolibriVersion   string  `json:"kolibri_version"`
	InstanceID       string  `json:"instance_id"`
	DeviceName       string  `json:"device_name"`
	OperatingSystem  *string `json:"operating_system"`
	Subset           bool    `json:"subset_of_users_device"`
	MinContentSchema *string `json:"min_content_schema_version"`
}

// Client speaks to one other device.
type Client struct {
	// Base is the device's address with a slash at its end.
	Base string
	// Info is what the device said of itself, once Connect has succeeded.
	Info *Info
	// RemoteIP is the address of the last answer, where the host can tell.
	RemoteIP string

	http  api.Outgoing
	login *url.Userinfo
}

// NewClient makes a client for a base URL.
func NewClient(h *api.Host, base string) *Client {
	return &Client{Base: strings.TrimRight(base, "/") + "/", http: h.HTTP}
}

// Answer is what another device answered.
type Answer struct {
	Status int
	Body   []byte
	path   string
}

// Get fetches a path below the base URL; an error status is a ResponseFailure, with the answer.
func (c *Client) Get(ctx context.Context, path string) (*Answer, error) {
	return c.do(ctx, http.MethodGet, path, "", nil, readTimeout)
}

// GetAs is Get as somebody whose credentials go along.
func (c *Client) GetAs(ctx context.Context, path, user, password string) (*Answer, error) {
	as := *c
	as.login = url.UserPassword(user, password)
	return as.Get(ctx, path)
}

// Post sends JSON.
func (c *Client) Post(ctx context.Context, path string, body any) (*Answer, error) {
	text, err := api.JSON(body)
	if err != nil {
		return nil, err
	}
	return c.Send(ctx, path, "application/json", text)
}

// Send posts a body of any type.
func (c *Client) Send(ctx context.Context, path, contentType string, body []byte) (*Answer, error) {
	return c.do(ctx, http.MethodPost, path, contentType, body, readTimeout)
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body []byte, timeout time.Duration) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if host, _, err := net.SplitHostPort(i.Conn.RemoteAddr().String()); err == nil {
			c.RemoteIP = host
		}
	}})
	r, err := http.NewRequestWithContext(ctx, method, c.Base+strings.TrimPrefix(path, "/"), bytes.NewReader(body))
	if err != nil {
		return nil, fail(ConnectionFailure, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	r.Header.Set("User-Agent", "Kolibri/"+api.Version+" Go")
	if c.login != nil {
		password, _ := c.login.Password()
		r.SetBasicAuth(c.login.Username(), password)
	}
	res, err := c.http.Do(r)
	if err != nil {
		var wait net.Error
		if errors.As(err, &wait) && wait.Timeout() && c.RemoteIP != "" {
			return nil, fail(ResponseTimeout, err)
		}
		return nil, fail(ConnectionFailure, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil || len(text) > maxAnswer {
		return nil, fail(ResponseFailure, errors.Join(err, errors.New("the answer could not be read")))
	}
	if err := nesting.Check(text); err != nil {
		return nil, fail(InvalidResponse, err)
	}
	a := &Answer{Status: res.StatusCode, Body: text, path: r.URL.Path}
	if res.Request != nil {
		a.path = res.Request.URL.Path
	}
	if a.Status >= 400 {
		return a, fail(ResponseFailure, fmt.Errorf("%s %s answered %d", method, r.URL.Redacted(), a.Status))
	}
	return a, nil
}

// Connect makes sure that a Kolibri (or Studio) answers, and learns what it says of itself.
func (c *Client) Connect(ctx context.Context) error {
	if c.Info != nil {
		return nil
	}
	const path = "api/public/info/"
	answer, err := c.do(ctx, http.MethodGet, path+"?v=3", "", nil, connectTimeout)
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK || !strings.HasSuffix(strings.TrimRight(answer.path, "/"), "/api/public/info") {
		return fail(InvalidResponse, fmt.Errorf("status %d at %s", answer.Status, answer.path))
	}
	var info Info
	if err := json.Unmarshal(answer.Body, &info); err != nil {
		return fail(InvalidResponse, err)
	}
	if info.Application != "kolibri" && info.Application != "studio" {
		return fail(InvalidResponse, errors.New("no Kolibri answers there"))
	}
	c.Info = &info
	if u, err := url.Parse(c.Base); err == nil { // a redirect may have led below another path
		u.Path = strings.TrimSuffix(strings.TrimRight(answer.path, "/"), "api/public/info")
		c.Base = u.String()
	}
	return nil
}

// Discover finds the device of an address that somebody typed in: a known one, or whichever of the
// address's variations answers. own are this server's addresses, which are no other device's.
// kolibri/core/discovery/utils/network/client.py: discover_from_address
func Discover(ctx context.Context, h *api.Host, text string, own ...string) (*Client, error) {
	all, err := Variations(text)
	if err != nil {
		return nil, err
	}
	var last error
	for _, base := range all {
		if isOwn(base, own) {
			continue
		}
		c := NewClient(h, base)
		if last = c.Connect(ctx); last == nil {
			return c, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, fail(NotFound, last)
}

func isOwn(base string, own []string) bool {
	for _, o := range own {
		if strings.TrimRight(o, "/") == strings.TrimRight(base, "/") {
			return true
		}
	}
	return false
}
