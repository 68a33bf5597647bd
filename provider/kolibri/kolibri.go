// Package kolibri speaks to a Kolibri 0.19 server, the original or this project's, as an administrator
// of one of its facilities does in a browser.
package kolibri

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"kolibri/provider/platform"
	"kolibri/provider/session"
	"kolibri/provider/upstream"
)

// Account is who signs in.
type Account struct {
	Username, Password string
	Facility           string // id; empty is the account's own
}

// Kolibri is one server. It implements platform.Platform.
type Kolibri struct {
	client *upstream.Client
	keeper *session.Keeper[login]
	// exporting is held while the server writes a file of logs: it has one of each kind for all that ask
	exporting sync.Mutex
}

const (
	minPage, maxPage = 10, 500
	usersPath        = "/api/auth/facilityuser/"
)

// New makes a Kolibri. It contacts nobody before it is asked.
func New(client *upstream.Client, account Account, o session.Options) *Kolibri {
	return &Kolibri{client: client, keeper: session.Keep(&authority{client, account}, o)}
}

// Close implements platform.Platform.
func (k *Kolibri) Close() { k.keeper.Close() }

// State says how the session is.
func (k *Kolibri) State() string { return k.keeper.State() }

// Page implements platform.Platform.
func (k *Kolibri) Page(ctx context.Context, o platform.Object, q platform.Query, token string, yield func(any) error) (string, error) {
	switch o {
	case platform.Users:
		return k.users(ctx, q, token, yield)
	case platform.Courses:
		return k.courses(ctx, token, yield)
	case platform.Content:
		return k.content(ctx, q, token, yield)
	case platform.Enrolments:
		return k.enrolments(ctx, q, token, yield)
	case platform.Milestones:
		return "", k.milestones(ctx, q, yield)
	case platform.Activity:
		return "", k.activity(ctx, q, yield)
	}
	return "", platform.ErrNotSupported
}

// do sends a request with the session, and returns that with the answer.
func (k *Kolibri) do(ctx context.Context, method, address string, body any) (a *http.Response, used session.Held[login], err error) {
	err = k.keeper.Use(ctx, func(h session.Held[login]) (err error) {
		used = h
		a, err = k.client.Repeat(ctx, func() (*http.Request, error) {
			r, err := upstream.JSON(ctx, method, address, body)
			if err == nil {
				h.Session.sign(r)
			}
			return r, err
		})
		return err
	})
	return a, used, err
}

// list streams one list of the server. A Kolibri that has forgotten the session answers lists with nothing
// in them instead of refusing, so an empty one is believed only of a session that is still alive.
func list[T any](ctx context.Context, k *Kolibri, path string, query url.Values, item func(T) error) (page, error) {
	for attempt := 0; ; attempt++ {
		a, h, err := k.do(ctx, http.MethodGet, k.client.URL(path, query), nil)
		lost := errors.Is(err, platform.ErrNotFound) && query.Get("page") > "1"
		var p page
		items := 0
		if err == nil {
			var rest map[string]rawMessage
			rest, err = upstream.Stream(a, func(v T) error {
				items++
				return item(v)
			})
			if err == nil {
				p, err = pageOf(rest)
			}
		}
		if err != nil && !lost || items > 0 || attempt > 0 {
			return p, err
		}
		again, doubt := k.keeper.Doubt(ctx, h.Number)
		if doubt != nil {
			return p, doubt
		}
		if again.Number == h.Number {
			if lost { // people were deleted meanwhile, and there are fewer pages
				return p, nil
			}
			return p, err
		}
	}
}

func pageSize(q platform.Query) string {
	if q.Size <= 0 {
		return strconv.Itoa(maxPage)
	}
	return strconv.Itoa(min(max(q.Size, minPage), maxPage))
}

// Fetch implements platform.Platform. The session goes to the server itself only.
func (k *Kolibri) Fetch(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	return k.client.Fetch(ctx, address, header, func(r *http.Request) error {
		h, err := k.keeper.Get(ctx)
		if err != nil {
			return err
		}
		h.Session.sign(r)
		return nil
	})
}
