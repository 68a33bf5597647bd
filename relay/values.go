package relay

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"kolibri/relay/depot"
)

// valueRoutes are the apps' key-value store as runtimes reach it:
//
//	GET    /_relay/kv/<app>?prefix=&after=&limit=   keys in order
//	GET    /_relay/kv/<app>/value?key=              the value; its version is the ETag
//	PUT    /_relay/kv/<app>/value?key=&ttl=<seconds> If-Match: a version; If-None-Match: * for a new key
//	DELETE /_relay/kv/<app>/value?key=              If-Match as above
func (r *Relay) valueRoutes() {
	handle := func(method, path string, do func(http.ResponseWriter, *http.Request, string) error) {
		r.own.HandleFunc(method+" "+Own+path, func(w http.ResponseWriter, req *http.Request) {
			if !r.isRuntime(req) {
				answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "only a runtime may do this"})
				return
			}
			app := req.PathValue("app")
			if _, ok := r.live.get()[app]; !ok {
				r.failApp(w, depot.ErrNotFound)
				return
			}
			if err := do(w, req, app); err != nil {
				r.failApp(w, err)
			}
		})
	}
	handle("GET", "kv/{app}", func(w http.ResponseWriter, q *http.Request, app string) error {
		query := q.URL.Query()
		limit := 0
		if text := query.Get("limit"); text != "" {
			var err error
			if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
				return errParameter
			}
		}
		list, err := r.cfg.Depot.List(q.Context(), app, query.Get("prefix"), query.Get("after"), limit)
		if err == nil {
			answerJSON(w, http.StatusOK, list)
		}
		return err
	})
	handle("GET", "kv/{app}/value", func(w http.ResponseWriter, q *http.Request, app string) error {
		v, err := r.cfg.Depot.Get(q.Context(), app, q.URL.Query().Get("key"))
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("ETag", etag(v.Version))
		if v.Expires != 0 {
			w.Header().Set("Expires", time.UnixMilli(v.Expires).UTC().Format(http.TimeFormat))
		}
		_, _ = w.Write(v.Value)
		return nil
	})
	handle("PUT", "kv/{app}/value", r.putValue)
	handle("DELETE", "kv/{app}/value", func(w http.ResponseWriter, q *http.Request, app string) error {
		version, err := wantedVersion(q)
		if err == nil {
			err = r.cfg.Depot.Delete(q.Context(), app, q.URL.Query().Get("key"), version)
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	})
}

func etag(version int64) string { return fmt.Sprintf(`"%d"`, version) }

// wantedVersion reads the condition of a change.
func wantedVersion(q *http.Request) (int64, error) {
	if q.Header.Get("If-None-Match") == "*" {
		return 0, nil
	}
	text := q.Header.Get("If-Match")
	if text == "" {
		return depot.Any, nil
	}
	var version int64
	if n, err := fmt.Sscanf(text, `"%d"`, &version); err != nil || n != 1 || version < 1 {
		return 0, errParameter
	}
	return version, nil
}

func (r *Relay) putValue(w http.ResponseWriter, q *http.Request, app string) error {
	version, err := wantedVersion(q)
	if err != nil {
		return err
	}
	life := time.Duration(0)
	if text := q.URL.Query().Get("ttl"); text != "" {
		seconds, err := strconv.ParseFloat(text, 64)
		if err != nil || !(seconds > 0 && seconds < 1e9) {
			return errParameter
		}
		life = time.Duration(seconds * float64(time.Second))
	}
	value, err := io.ReadAll(http.MaxBytesReader(w, q.Body, depot.MaxValue))
	if err != nil {
		return err
	}
	next, err := r.cfg.Depot.Put(context.WithoutCancel(q.Context()), app, q.URL.Query().Get("key"), value, version, life)
	if err == nil {
		w.Header().Set("ETag", etag(next))
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
