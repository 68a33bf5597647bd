package public

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/big"
	"mime"
	"net/http"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// checksums tells another device which of the files that it names are here: a decimal number whose
// bit i stands for the i-th name. The names come as a JSON list, compressed or not.
// kolibri/core/public/api.py: get_public_file_checksums
func checksums(r *api.Request) (any, error) {
	if r.Param("version") != "v1" {
		return nil, unknown()
	}
	kind, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type"))
	var body io.Reader = r.HTTP.Body
	switch kind {
	case "application/json":
	case "application/gzip":
		unpacked, err := gzip.NewReader(r.HTTP.Body)
		if err != nil {
			return refused("POST body must be valid json")
		}
		body = unpacked
	default:
		return refused("POST body must be either json or gzip")
	}
	text, err := io.ReadAll(io.LimitReader(body, api.MaxBody+1))
	if err != nil || len(text) > api.MaxBody {
		return refused("POST body must be valid json")
	}
	var given []any
	if json.NewDecoder(bytes.NewReader(text)).Decode(&given) != nil {
		return refused("POST body must be valid json")
	}
	names := make([]string, 0, len(given))
	for _, v := range given {
		if name, ok := v.(string); ok && isChecksum(name) {
			names = append(names, name)
		}
	}
	here := map[string]bool{}
	for some := range slices.Chunk(names, 900) {
		found, err := r.Tx.Strings("SELECT id FROM content_localfile WHERE available = TRUE AND id IN ?", store.In(some))
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			here[name] = true
		}
	}
	return api.Text(http.StatusOK, "application/octet-stream", mask(names, here)), nil
}

func refused(why string) (any, error) {
	return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", why), nil
}

func isChecksum(name string) bool {
	return len(name) == 32 && strings.Trim(name, "0123456789abcdef") == ""
}

// mask is the number whose bits say which of the names are here.
func mask(names []string, here map[string]bool) string {
	bits := make([]byte, (len(names)+7)/8) // the lowest bits last
	for i, name := range names {
		if here[name] {
			bits[len(bits)-1-i/8] |= 1 << (i % 8)
		}
	}
	return new(big.Int).SetBytes(bits).String()
}
