//go:build unix

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kolibri/provider/extract"
	"kolibri/provider/media"
	"kolibri/provider/people"
	"kolibri/provider/platform"
	"kolibri/provider/registry"
	"kolibri/provider/search"
	"kolibri/provider/session"
	"kolibri/store"
)

// compute is the heavy work that the service takes off the product besides pictures: files, search, and
// the comparison of accounts.
type compute struct {
	service *Service
	people  *people.People
	media   *media.Cache
	index   *search.Index
	reader  *extract.Extractor

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex
	busy   map[string]bool // providers whose documents are being read
}

// maxMedia is how many bytes of files are kept when Config does not say.
const maxMedia = 4 << 30

func newCompute(s *Service) (*compute, error) {
	c := &compute{service: s, busy: map[string]bool{}}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if s.config.MediaBytes == 0 {
		s.config.MediaBytes = maxMedia
	}
	var err error
	if c.people, err = people.Open(c.ctx, s.config.Registry.DB()); err != nil {
		return nil, err
	}
	if c.media, err = media.Open(filepath.Join(s.config.DataDir, "media"), s.config.MediaBytes, c.fetch); err != nil {
		return nil, err
	}
	path := filepath.Join(s.config.DataDir, "search.sqlite3")
	c.index, err = search.Open(c.ctx, path)
	if errors.Is(err, store.ErrCorrupt) { // it is made from what providers hold, and can be made again
		s.config.Log.Warn("the search index is damaged: it is made anew, ask for it by POST /api/search")
		for _, end := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(path + end); err != nil && !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
		}
		c.index, err = search.Open(c.ctx, path)
	}
	if err != nil {
		return nil, err
	}
	if len(s.config.Extract) > 0 {
		c.reader = extract.New(s.config.Extract...)
	}
	return c, nil
}

func (c *compute) close() {
	c.cancel()
	c.media.Close()
	c.work.Wait()
	if err := c.index.Close(); err != nil {
		c.service.config.Log.Warn("the search index was not closed", "error", err)
	}
}

// forget removes what was kept of a provider.
func (c *compute) forget(ctx context.Context, id string) error {
	c.media.Forget(id)
	return errors.Join(c.index.Forget(ctx, id), c.people.Forget(ctx, id))
}

func (c *compute) fetch(ctx context.Context, id, address string) (*http.Response, error) {
	l, err := c.service.provider(ctx, id)
	if err != nil {
		return nil, err
	}
	return l.Fetch(ctx, address, nil)
}

func (c *compute) routes() map[string]func(http.ResponseWriter, *http.Request) error {
	return map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /api/media":                   c.serveMedia,
		"GET /api/search":                  c.search,
		"POST /api/search":                 c.buildIndex,
		"POST /api/people/match":           c.match,
		"GET /api/people/suggestions":      c.suggestions,
		"PUT /api/people/suggestions/{id}": c.decide,
		"GET /api/people/same":             c.same,
	}
}

// serveMedia answers GET /api/media?id=&url=&md5=&size= with a file of the provider.
func (c *compute) serveMedia(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	want := media.Want{Provider: q.Get("id"), Address: q.Get("url"), MD5: strings.ToLower(q.Get("md5"))}
	if !registry.IsID(want.Provider) {
		return invalid("the parameter id names no provider")
	}
	if want.Address == "" || len(want.Address) > 4096 {
		return invalid("the parameter url is the address of a file of the provider")
	}
	if want.MD5 != "" && (len(want.MD5) != 32 || strings.Trim(want.MD5, "0123456789abcdef") != "") {
		return invalid("md5 is 32 hexadecimal digits")
	}
	l, err := c.service.provider(r.Context(), want.Provider)
	if err != nil {
		return err
	}
	// others' hosts are none of this service's business, and their failures would count as the provider's
	u, err := l.client.Resolve(want.Address)
	if err != nil || !l.client.Own(u) {
		return invalid("the parameter url is no address of the provider")
	}
	if strings.Contains(u.Path, "/api/") && !strings.Contains(u.Path, "/api/content/channel-thumbnail/") {
		return invalid("the parameter url is an address of the provider's API, and no file") // people's data is not kept as files are
	}
	err = c.media.Serve(w, r, want, c.service.config.Timeout)
	switch {
	case errors.Is(err, media.ErrTooLarge):
		return &Problem{Status: http.StatusBadGateway, Code: "file_too_large", Message: err.Error()}
	case errors.Is(err, media.ErrDamaged):
		return &Problem{Status: http.StatusBadGateway, Code: "provider_malformed", Message: err.Error()}
	case errors.Is(err, media.ErrClosed):
		return session.ErrClosed
	}
	return err
}

// search answers GET /api/search?q=&id=&kind=&language=&page=.
func (c *compute) search(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	query := search.Query{Provider: q.Get("id"), Text: q.Get("q"), Kind: q.Get("kind"), Language: q.Get("language")}
	if query.Provider != "" && !registry.IsID(query.Provider) {
		return invalid("the parameter id names no provider")
	}
	var err error
	if query.Page, err = page(q.Get("page"), search.MaxPage); err != nil {
		return err
	}
	answer, err := c.index.Search(r.Context(), query)
	if errors.Is(err, search.ErrQuery) {
		return invalid(err.Error())
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, answer)
	return nil
}

func page(text string, last int) (int, error) {
	if text == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > last {
		return 0, invalid(fmt.Sprintf("page is a number from 1 to %d", last))
	}
	return n, nil
}

// buildIndex answers POST /api/search?id=: the provider's content is what its part of the index holds
// afterwards. The texts of its documents follow, in the background.
func (c *compute) buildIndex(w http.ResponseWriter, r *http.Request) error {
	id := r.URL.Query().Get("id")
	if !registry.IsID(id) {
		return invalid("the parameter id names no provider")
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxDuration)
	defer cancel()
	l, err := c.service.provider(ctx, id)
	if err != nil {
		return err
	}
	changes, err := c.index.Sync(ctx, id, func(yield func(search.Document, error) bool) {
		for item, err := range pages(ctx, l, platform.Content) {
			i, ok := item.(platform.Item)
			if err == nil && !ok {
				continue
			}
			if !yield(document(i), err) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	c.readTexts(id)
	writeJSON(w, http.StatusAccepted, changes)
	return nil
}

// pages goes through all objects of a kind.
func pages(ctx context.Context, l *live, o platform.Object) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		ended := errors.New("enough")
		token, seen := "", map[string]bool{}
		for {
			if seen[token] || len(seen) >= maxPages {
				yield(nil, fmt.Errorf("%w: its list does not end", platform.ErrMalformed))
				return
			}
			seen[token] = true
			next, err := l.Page(ctx, o, platform.Query{Filter: map[string]string{}}, token, func(item any) error {
				if !yield(item, nil) {
					return ended
				}
				return nil
			})
			if errors.Is(err, ended) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if next == "" {
				return
			}
			token = next
		}
	}
}

// readable are the kinds of files that have text.
var readable = map[string]bool{"pdf": true, "epub": true, "zip": true, "html": true, "htm": true}

func document(i platform.Item) search.Document {
	d := search.Document{ID: i.ID, CourseID: i.CourseID, Kind: i.Kind, Language: i.Language, Title: i.Title, Description: i.Description}
	if i.Author != "" {
		d.Tags = []string{i.Author}
	}
	for _, f := range i.Files {
		if readable[strings.ToLower(f.Extension)] && !f.Thumbnail {
			d.File, d.Checksum, d.Size = f.URL, f.Checksum, f.Size
			break
		}
	}
	return d
}

// readTexts takes the texts of a provider's documents into the index, unless that is being done.
func (c *compute) readTexts(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reader == nil || c.busy[id] || c.ctx.Err() != nil {
		return
	}
	c.busy[id] = true
	c.work.Go(func() {
		n, err := c.index.Read(c.ctx, id, c.reader, func(ctx context.Context, d search.Document) (*os.File, error) {
			f, err := c.media.Get(ctx, media.Want{Provider: id, Address: d.File, MD5: d.Checksum, Size: d.Size})
			if errors.Is(err, media.ErrTooLarge) || errors.Is(err, media.ErrDamaged) || errors.Is(err, platform.ErrNotFound) || errors.Is(err, platform.ErrForbidden) {
				return nil, fmt.Errorf("%w: %w", extract.ErrRefused, err)
			}
			return f, err
		})
		c.mu.Lock()
		delete(c.busy, id)
		c.mu.Unlock()
		log := c.service.config.Log.With("provider", id, "documents", n)
		if err != nil && c.ctx.Err() == nil {
			log.Warn("the texts of documents were not all read", "error", err)
			return
		}
		log.Info("the texts of documents were read")
	})
}

// match answers POST /api/people/match with {"providers": [...]}: the accounts of each are imported, and
// those of every two compared.
func (c *compute) match(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Providers []json.RawMessage `json:"providers"`
	}
	if err := read(w, r, &body); err != nil {
		return err
	}
	const most = 10
	if len(body.Providers) < 2 || len(body.Providers) > most {
		return invalid(fmt.Sprintf("providers are 2 to %d ids", most))
	}
	var providers []string
	for _, raw := range body.Providers {
		id := idOf(raw)
		if !registry.IsID(id) || slices.Contains(providers, id) {
			return invalid("providers are different ids")
		}
		providers = append(providers, id)
	}
	ctx, cancel := context.WithTimeout(r.Context(), maxDuration)
	defer cancel()
	imported := map[string]people.Changes{}
	for _, id := range providers {
		l, err := c.service.provider(ctx, id)
		if err != nil {
			return err
		}
		imported[id], err = c.people.Import(ctx, id, func(yield func(people.Person, error) bool) {
			for item, err := range pages(ctx, l, platform.Users) {
				u, ok := item.(platform.User)
				if err == nil && !ok {
					continue
				}
				if !yield(people.Person{ID: u.ID, Username: u.Username, Name: u.Name, Email: u.Email, Identifier: u.Identifier}, err) {
					return
				}
			}
		})
		if err != nil {
			return err
		}
	}
	found := 0
	for i, one := range providers {
		for _, other := range providers[i+1:] {
			n, err := c.people.Match(ctx, one, other)
			if err != nil {
				return err
			}
			found += n
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"imported": imported, "suggestions": found})
	return nil
}

// suggestions answers GET /api/people/suggestions?state=&id=&page=.
func (c *compute) suggestions(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	state := q.Get("state")
	switch state {
	case "":
		state = people.Undecided
	case people.Undecided, people.Accepted, people.Rejected:
	default:
		return invalid(people.ErrState.Error())
	}
	n, err := page(q.Get("page"), 1_000_000)
	if err != nil {
		return err
	}
	list, more, err := c.people.Suggestions(r.Context(), state, q.Get("id"), n)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"items": list, "page": n, "more": more})
	return nil
}

// decide answers PUT /api/people/suggestions/{id} with {"state": "accepted", "rejected" or "open"}.
func (c *compute) decide(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		State string `json:"state"`
	}
	if err := read(w, r, &body); err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return missing("suggestion")
	}
	s, err := c.people.Decide(r.Context(), id, body.State)
	switch {
	case errors.Is(err, people.ErrState):
		return invalid(err.Error())
	case errors.Is(err, store.ErrNotFound):
		return missing("suggestion")
	case err != nil:
		return err
	}
	writeJSON(w, http.StatusOK, s)
	return nil
}

// same answers GET /api/people/same?id=&user= with the accounts that were accepted as one person's.
func (c *compute) same(w http.ResponseWriter, r *http.Request) error {
	list, err := c.people.Same(r.Context(), r.URL.Query().Get("id"), r.URL.Query().Get("user"))
	if errors.Is(err, store.ErrNotFound) {
		return missing("account among those that were imported")
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"items": list})
	return nil
}

func missing(what string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Message: "there is no such " + what}
}
