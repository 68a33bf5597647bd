package relay

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"kolibri/relay/wire"
)

// resumption remembers what of an answer has gone out, so that another tab, or the same one after its
// connection broke, can go on where it stopped: with the rest of a file that is known by its ETag.
type resumption struct {
	begun  bool // the head has gone out
	status int
	etag   string
	ranges bool  // the tab can send parts of it
	first  int64 // where in the file the answer began
	total  int64 // the file's length, -1 when unknown
	last   int64 // where in the file the answer ends
	sent   int64 // bytes of the answer's body
}

var contentRange = regexp.MustCompile(`^bytes (\d{1,18})-(\d{1,18})/(\d{1,18})$`)

// begin takes up the head of an answer. The first one goes out; a later one must go on with the same
// file. skip is how many bytes of its body the client already has.
func (z *resumption) begin(x *exchange, t *tab, head *wire.ResponseHead) (skip int64, err error) {
	if z.begun {
		return z.goOn(head)
	}
	header := x.w.Header()
	head.Headers.Into(header)
	x.confine(header)
	if t.joined.Home != "" && x.want.home == "" && len(x.relay.pool.homes()) > 1 {
		http.SetCookie(x.w, &http.Cookie{Name: visitorCookie, Value: t.joined.Home, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	z.begun, z.status, z.etag = true, head.Status, header.Get("ETag")
	z.ranges = strings.EqualFold(header.Get("Accept-Ranges"), "bytes") && strings.HasPrefix(z.etag, `"`) &&
		header.Get("Content-Encoding") == "" && x.r.Method == http.MethodGet
	z.total = -1
	if m := contentRange.FindStringSubmatch(header.Get("Content-Range")); m != nil && head.Status == http.StatusPartialContent {
		z.first, z.last, z.total = number(m[1]), number(m[2])+1, number(m[3])
	} else if n := number(header.Get("Content-Length")); n >= 0 && head.Status == http.StatusOK {
		z.last, z.total = n, n
	}
	x.w.WriteHeader(head.Status)
	return 0, nil
}

// number reads digits, -1 for anything else.
func number(text string) int64 {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}

var errOtherFile = errors.New("what is left of the answer could not be had")

// goOn checks that the answer is the rest of what was begun.
func (z *resumption) goOn(head *wire.ResponseHead) (skip int64, err error) {
	if head.Headers.Get("ETag") != z.etag {
		return 0, errOtherFile
	}
	if head.Status == http.StatusOK && z.status == http.StatusOK {
		return z.sent, nil // it sends all of it again
	}
	m := contentRange.FindStringSubmatch(head.Headers.Get("Content-Range"))
	if head.Status != http.StatusPartialContent || m == nil ||
		number(m[1]) != z.first+z.sent || number(m[2])+1 != z.last || number(m[3]) != z.total {
		return 0, errOtherFile
	}
	return 0, nil
}

// prepare makes the request for the rest. It tells whether that is possible.
func (z *resumption) prepare(x *exchange) bool {
	if !z.begun {
		return true
	}
	if !z.ranges || z.total < 0 || z.first+z.sent >= z.last {
		return false
	}
	var headers wire.Headers
	for _, pair := range x.head.Headers {
		switch http.CanonicalHeaderKey(pair[0]) {
		case "Range", "If-Range", "If-None-Match", "If-Modified-Since":
		default:
			headers = append(headers, pair)
		}
	}
	x.head.Headers = append(headers, [2]string{"Range", fmt.Sprintf("bytes=%d-%d", z.first+z.sent, z.last-1)},
		[2]string{"If-Range", z.etag})
	return true
}
