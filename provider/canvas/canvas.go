// Package canvas speaks to a Canvas, as its public documentation describes the API: OAuth 2 with a session
// for each user, pages by Link headers, and quotas. https://canvas.instructure.com/doc/api/
package canvas

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"kolibri/provider/platform"
	"kolibri/provider/session"
	"kolibri/provider/upstream"
)

// Account is how a Canvas is used.
type Account struct {
	ClientID, ClientSecret string // of a developer key
	AccessToken            string // of an administrator, for requests that are no user's; empty: what was granted for no user
	AccountID              string // whose people and courses are listed; empty is "self"
}

// Canvas is one Canvas. It implements platform.Platform.
type Canvas struct {
	client  *upstream.Client
	account Account
	grants  Grants
	options session.Options

	mu      sync.Mutex
	closed  bool
	keepers map[string]*session.Keeper[access] // by user
}

const (
	minPage, maxPage = 10, 100
	apiPath          = "/api/v1/"
	// coursesAtOnce is how many courses one page of a list that goes through all of them takes.
	coursesAtOnce = 10
)

// New makes a Canvas. It contacts nobody before it is asked.
func New(client *upstream.Client, account Account, grants Grants, o session.Options) *Canvas {
	if account.AccountID == "" {
		account.AccountID = "self"
	}
	return &Canvas{client: client, account: account, grants: grants, options: o, keepers: map[string]*session.Keeper[access]{}}
}

// keeper returns that of a user's session.
func (c *Canvas) keeper(user string) (*session.Keeper[access], error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, session.ErrClosed
	}
	k := c.keepers[user]
	if k == nil {
		k = session.Keep(&authority{c, user}, c.options)
		c.keepers[user] = k
	}
	return k, nil
}

// Close implements platform.Platform.
func (c *Canvas) Close() {
	c.mu.Lock()
	all := c.keepers
	c.keepers, c.closed = map[string]*session.Keeper[access]{}, true
	c.mu.Unlock()
	for _, k := range all {
		k.Close()
	}
}

// renewed ends a user's session, so that the next request begins one with what was granted now.
func (c *Canvas) renewed(user string) {
	c.mu.Lock()
	k := c.keepers[user]
	c.mu.Unlock()
	if k != nil {
		c.drop(user, k)
	}
}

// drop ends a keeper, unless another one has taken its place already.
func (c *Canvas) drop(user string, k *session.Keeper[access]) {
	c.mu.Lock()
	if c.keepers[user] == k {
		delete(c.keepers, user)
	}
	c.mu.Unlock()
	k.Close()
}

// State says how the sessions are.
func (c *Canvas) State() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.keepers[""]; k != nil {
		return k.State()
	}
	return strconv.Itoa(len(c.keepers)) + " users' sessions"
}

// do sends a request with a user's session.
func (c *Canvas) do(ctx context.Context, user, method, address string, body any) (a *http.Response, err error) {
	k, err := c.keeper(user)
	if err != nil {
		return nil, err
	}
	err = k.Use(ctx, func(h session.Held[access]) (err error) {
		a, err = c.client.Repeat(ctx, func() (*http.Request, error) {
			r, err := upstream.JSON(ctx, method, address, body)
			if err == nil {
				r.Header.Set("Authorization", "Bearer "+h.Session.token)
			}
			return r, err
		})
		return err
	})
	if errors.Is(err, platform.ErrConsent) { // names of users are the callers' to invent, so nothing is kept of who has given none
		c.drop(user, k)
	}
	return a, err
}

// list streams one page and returns the address of the next one, without the server's name.
func list[T any](ctx context.Context, c *Canvas, user, address string, item func(T) error) (next string, err error) {
	a, err := c.do(ctx, user, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	if next, err = c.next(a.Header); err != nil {
		a.Body.Close()
		return "", err
	}
	_, err = upstream.Stream(a, item)
	return next, err
}

var nextLink = regexp.MustCompile(`<([^>]+)>\s*;\s*rel="next"`)

// next reads the Link header. A link to elsewhere would carry the session there.
func (c *Canvas) next(header http.Header) (string, error) {
	found := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ","))
	if found == nil {
		return "", nil
	}
	u, err := c.client.Resolve(found[1])
	if err != nil {
		return "", err
	}
	if !c.client.Own(u) {
		return "", fmt.Errorf("%w: its next page is another server's", platform.ErrMalformed)
	}
	return u.RequestURI(), nil
}

// at is the address of a list's page: of the token, or the first one.
func (c *Canvas) at(token, path string, query url.Values) (string, error) {
	if token == "" {
		return c.client.URL(apiPath+path, query), nil
	}
	u, err := c.client.Resolve(token)
	if err != nil || !c.client.Own(u) || !strings.Contains(u.Path, apiPath) {
		return "", platform.ErrInvalid
	}
	return u.String(), nil
}

func pageSize(q platform.Query) string {
	if q.Size <= 0 {
		return strconv.Itoa(maxPage)
	}
	return strconv.Itoa(min(max(q.Size, minPage), maxPage))
}

// Page implements platform.Platform.
func (c *Canvas) Page(ctx context.Context, o platform.Object, q platform.Query, token string, yield func(any) error) (string, error) {
	switch o {
	case platform.Users:
		return c.users(ctx, q, token, yield)
	case platform.Courses:
		return c.courses(ctx, q, token, pageSize(q), func(v course) error { return yield(v.common()) })
	case platform.Content:
		return c.throughCourses(ctx, q, token, func(id string) error { return c.content(ctx, q, id, yield) })
	case platform.Enrolments:
		return c.throughCourses(ctx, q, token, func(id string) error {
			return c.enrolments(ctx, q, id, func(e enrolment) error { return yield(e.common()) })
		})
	case platform.Milestones:
		return c.throughCourses(ctx, q, token, func(id string) error { return c.submissions(ctx, q, id, yield) })
	case platform.Activity:
		if user := q.Filter["user_id"]; user != "" {
			return c.pageViews(ctx, q, user, token, yield)
		}
		return c.throughCourses(ctx, q, token, func(id string) error {
			return c.enrolments(ctx, q, id, func(e enrolment) error { return e.activity(yield) })
		})
	}
	return "", platform.ErrNotSupported
}

// throughCourses calls each for the course that is asked for, or for every course of one page of them.
func (c *Canvas) throughCourses(ctx context.Context, q platform.Query, token string, each func(id string) error) (string, error) {
	if id := q.Filter["course_id"]; id != "" {
		if !isID(id) {
			return "", nil
		}
		err := each(id)
		if errors.Is(err, platform.ErrNotFound) { // a filter for what is not there finds nothing
			err = nil
		}
		return "", err
	}
	var ids []string
	next, err := c.courses(ctx, platform.Query{User: q.User}, token, strconv.Itoa(coursesAtOnce), func(v course) error {
		ids = append(ids, string(v.ID))
		return nil
	})
	if err != nil {
		return "", err
	}
	for _, id := range ids {
		if err := each(id); err != nil {
			return "", err
		}
	}
	return next, nil
}

// all streams every page of a list.
func all[T any](ctx context.Context, c *Canvas, user, path string, query url.Values, item func(T) error) error {
	query.Set("per_page", strconv.Itoa(maxPage))
	seen := map[string]bool{}
	for token := ""; ; {
		at, err := c.at(token, path, query)
		if err != nil {
			return err
		}
		if token, err = list(ctx, c, user, at, item); err != nil || token == "" {
			return err
		}
		if seen[token] {
			return fmt.Errorf("%w: its list does not end", platform.ErrMalformed)
		}
		seen[token] = true
	}
}

// Fetch implements platform.Platform. The session goes to Canvas itself only.
func (c *Canvas) Fetch(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	return c.client.Fetch(ctx, address, header, func(r *http.Request) error {
		k, err := c.keeper("")
		if err != nil {
			return err
		}
		h, err := k.Get(ctx)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+h.Session.token)
		return nil
	})
}

var idText = regexp.MustCompile(`^[0-9]{1,20}(~[0-9]{1,20})?$`)

func isID(text string) bool { return idText.MatchString(text) }
