//go:build !js

package provider

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kolibri/provider/platform"
)

const (
	maxLimit    = 1000
	maxPages    = 20_000    // of a provider's list
	maxEmpty    = 500       // of them without anything, one after the other
	maxItems    = 2_000_000 // of an answer
	maxDuration = 15 * time.Minute
	cursorSum   = 16 // bytes of a cursor's signature
)

// request is what a list is asked for.
type request struct {
	object platform.Object
	query  platform.Query
	limit  int // 0 is everything
	cursor cursor
	about  string // whose list it is, which its cursors are good for
}

// cursor is where a list goes on: at a page of the provider's, after so many of its items.
type cursor struct {
	Token string `json:"t,omitempty"`
	Skip  int    `json:"s,omitempty"`
}

// writeCursor makes a cursor into text that callers can give back and not change: a token is a part of an address
// that the provider is asked for with its session.
func (s *Service) writeCursor(c cursor, about string) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(s.sign(text, about), text...)), nil
}

func (s *Service) sign(text []byte, about string) []byte {
	sum := hmac.New(sha256.New, s.cursorKey)
	fmt.Fprintf(sum, "%d %s", len(about), about)
	sum.Write(text)
	return sum.Sum(nil)[:cursorSum]
}

func (s *Service) readCursor(text, about string) (c cursor, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(raw) > cursorSum && hmac.Equal(raw[:cursorSum], s.sign(raw[cursorSum:], about)) {
		err = json.Unmarshal(raw[cursorSum:], &c)
	} else {
		err = platform.ErrInvalid
	}
	if err != nil {
		return c, invalid("the cursor is none that this list gave")
	}
	return c, nil
}

// list answers GET /api/<object>: {"items": [...], "next": cursor or null}.
func (s *Service) list(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), s.config.Timeout)
	defer cancel()
	q, err := s.parseList(r)
	if err != nil {
		return err
	}
	l, _, err := s.target(ctx, r)
	if err != nil {
		return err
	}
	fresh := !strings.Contains(r.Header.Get("Cache-Control"), "no-cache")
	a, err := s.answers.Get(q.key(l.provider.ID), fresh, func(ctx context.Context, w io.Writer) error {
		ctx, cancel := context.WithTimeout(ctx, maxDuration)
		defer cancel()
		return s.fill(ctx, w, l, q)
	})
	if err != nil {
		return err
	}
	defer a.Release()
	if err := a.Wait(ctx); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-cache")
	w.Header().Set("Vary", "Authorization")
	a.ServeHTTP(w, r)
	return nil
}

func (s *Service) parseList(r *http.Request) (q request, err error) {
	given := ""
	q.object = platform.Object(r.PathValue("object"))
	q.query.Filter = map[string]string{}
	for name, values := range r.URL.Query() {
		value := values[0]
		switch {
		case len(values) > 1:
			return q, invalid("the parameter " + name + " is there twice")
		case name == "id":
		case name == "user":
			q.query.User = value
		case name == "limit":
			if q.limit, err = strconv.Atoi(value); err != nil || q.limit < 1 || q.limit > maxLimit {
				return q, invalid(fmt.Sprintf("limit is a number from 1 to %d", maxLimit))
			}
		case name == "cursor":
			given = value
		case value != "":
			q.query.Filter[name] = value
		}
	}
	if _, known := platform.Filters[q.object]; !known {
		return q, nil // said later, with everything else that has no such address
	}
	if err := platform.CheckFilters(q.object, q.query.Filter); err != nil {
		return q, invalid(err.Error())
	}
	if len(q.query.Filter) == 0 { // else most of a page may be left out
		q.query.Size = q.limit
	}
	q.about = r.URL.Query().Get("id") + "/" + string(q.object) + "/" + q.query.User
	if given != "" {
		q.cursor, err = s.readCursor(given, q.about)
	}
	return q, err
}

// key is the same for all requests with the same answer. It begins with the provider's id.
func (q request) key(id string) string {
	v := url.Values{"user": {q.query.User}, "limit": {strconv.Itoa(q.limit)}, "token": {q.cursor.Token}, "skip": {strconv.Itoa(q.cursor.Skip)}}
	for _, name := range slices.Sorted(maps.Keys(q.query.Filter)) {
		v.Set("f."+name, q.query.Filter[name])
	}
	return url.QueryEscape(id) + "?" + string(q.object) + "&" + v.Encode()
}

// errFull ends a page of the provider's when enough of it is taken.
var errFull = errors.New("enough")

// fill writes an answer while its items come.
func (s *Service) fill(ctx context.Context, to io.Writer, p platform.Platform, q request) error {
	w := bufio.NewWriterSize(to, 64<<10)
	if _, err := w.WriteString(`{"items":[`); err != nil {
		return err
	}
	at, count, empty := q.cursor, 0, 0
	var next *cursor
	seen := map[string]bool{}
	for page := 0; ; page++ {
		if page >= maxPages || empty > maxEmpty || seen[at.Token] {
			return fmt.Errorf("%w: its list does not end", platform.ErrMalformed)
		}
		seen[at.Token] = true
		index := 0
		token, err := p.Page(ctx, q.object, q.query, at.Token, func(item any) error {
			index++
			if index <= at.Skip || !platform.Matches(item, q.query.Filter) {
				return nil
			}
			if q.limit > 0 && count == q.limit {
				index--
				return errFull
			}
			if count++; count > maxItems {
				return fmt.Errorf("%w: its list does not end", platform.ErrMalformed)
			}
			shown, err := s.hosted(ctx, item)
			if err != nil {
				return err
			}
			return write(w, shown, count)
		})
		if errors.Is(err, errFull) {
			next = &cursor{at.Token, index}
			break
		}
		if err != nil {
			return err
		}
		if token == "" {
			break
		}
		if empty++; index > 0 {
			empty = 0
		}
		at = cursor{Token: token}
		if q.limit > 0 && count == q.limit {
			next = &at
			break
		}
	}
	end := "null"
	if next != nil {
		text, err := s.writeCursor(*next, q.about)
		if err != nil {
			return err
		}
		end = `"` + text + `"`
	}
	if _, err := fmt.Fprintf(w, "],\"next\":%s}\n", end); err != nil {
		return err
	}
	return w.Flush()
}

func write(w *bufio.Writer, item any, count int) error {
	text, err := json.Marshal(item)
	if err != nil {
		return err
	}
	if count > 1 {
		if err := w.WriteByte(','); err != nil {
			return err
		}
	}
	if err := w.WriteByte('\n'); err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}
