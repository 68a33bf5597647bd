package content

import (
	"errors"
	"net/http"
	"strconv"
	"sync"

	"kolibri/core/api"
	"kolibri/store"
)

// CacheKey changes whenever the library does; it is the ETag of what the APIs say about it.
// kolibri/core/device/models.py: ContentCacheKey
func CacheKey(tx *store.Tx) (string, error) {
	key, err := tx.Int("SELECT key FROM device_contentcachekey ORDER BY id LIMIT 1")
	return strconv.FormatInt(key, 10), err
}

// Touch gives the library a new cache key, after anything in it changed.
func Touch(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO device_contentcachekey (id, key) VALUES (1, ?)
		ON CONFLICT (id) DO UPDATE SET key = CASE WHEN excluded.key > device_contentcachekey.key THEN excluded.key ELSE device_contentcachekey.key + 1 END`, tx.Now().Unix())
	return err
}

// cached makes an API conditional: a browser that has the answer of this state of the library is
// told so before any work is done.
// kolibri/core/content/api.py: metadata_cache
func (c *Content) cached(handle api.Handler) api.Handler {
	return func(r *api.Request) (any, error) {
		key, err := CacheKey(r.Tx)
		if err != nil {
			return nil, err
		}
		if api.ETagMatches(r.HTTP.Header.Get("If-None-Match"), key) {
			return &api.Response{ETag: key, Raw: []byte{}}, nil
		}
		body, err := handle(r)
		var shaped *api.Error
		if errors.As(err, &shaped) {
			if shaped.Header == nil {
				shaped.Header = http.Header{}
			}
			shaped.Header.Set("ETag", `"`+key+`"`)
		}
		if err != nil {
			return nil, err
		}
		c.asked.note(key, address(r))
		// no age is given: the browser asks with the tag
		return &api.Response{Status: http.StatusOK, Body: body, ETag: key, Header: http.Header{"Cache-Control": nil}}, nil
	}
}

// asked are the addresses that were answered in a state of the library. The original keeps answers by
// address alone and gives a kept one whatever the method is; asked tells where it would.
type asked struct {
	mu        sync.Mutex
	key       string
	addresses map[string]bool
}

// mostAsked bounds the addresses; when there are more, all are forgotten.
const mostAsked = 2000

func address(r *api.Request) string { return r.BaseURL() + r.HTTP.URL.RequestURI() }

func (a *asked) note(key, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.key != key || len(a.addresses) >= mostAsked {
		a.key, a.addresses = key, map[string]bool{}
	}
	a.addresses[address] = true
}

func (a *asked) has(key, address string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.key == key && a.addresses[address]
}

// otherMethods answers other methods than GET at an address that a GET had an answer for with that.
func (c *Content) otherMethods(get api.Route) (routes []api.Route) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := get
		other.Method, other.Unlisted, other.NoTxFor = method, true, nil
		other.Handle = func(r *api.Request) (any, error) {
			key, err := CacheKey(r.Tx)
			if err == nil && !c.asked.has(key, address(r)) {
				err = api.Detail(http.StatusMethodNotAllowed, `Method "`+method+`" not allowed.`)
			}
			if err != nil {
				return nil, err
			}
			return get.Handle(r)
		}
		routes = append(routes, other)
	}
	return routes
}
