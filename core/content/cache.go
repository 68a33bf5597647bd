package content

import (
	"errors"
	"net/http"
	"strconv"

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
func cached(handle api.Handler) api.Handler {
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
		// no age is given: the browser asks with the tag
		return &api.Response{Status: http.StatusOK, Body: body, ETag: key, Header: http.Header{"Cache-Control": nil}}, nil
	}
}
