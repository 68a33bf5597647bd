package wire

import (
	"encoding/binary"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Headers are pairs, so that several values of one name stay apart and in order. A byte of a value
// travels as the code point of the same number, because HTTP knows bytes and JSON does not.
type Headers [][2]string

// RequestHead is what a tab is asked.
type RequestHead struct {
	Method  string  `json:"method"`
	URL     string  `json:"url"` // absolute, as the client asked for it
	Headers Headers `json:"headers"`
	From    string  `json:"from"`    // the client's address, host and port
	Timeout int64   `json:"timeout"` // milliseconds until the head of the answer must be there
	App     string  `json:"app,omitempty"`
}

// ResponseHead is what a tab answers.
type ResponseHead struct {
	Status  int     `json:"status"`
	Headers Headers `json:"headers"`
}

// Greeting is the relay's first word.
type Greeting struct {
	Version int    `json:"version"`
	Relay   string `json:"relay"`
	Nonce   string `json:"nonce"` // to be signed
	Window  int    `json:"window"`
}

// Kinds of tabs.
const (
	KindKolibri = "kolibri" // a Kolibri
	KindRuntime = "runtime" // runs deployed apps
)

// Application is a tab's wish to take part. Proof is the hexadecimal HMAC-SHA256 of the nonce, keyed by
// the pairing code or, with a session, by that session's key: neither goes over the wire again.
type Application struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	Proof   string `json:"proof"`
	Session string `json:"session,omitempty"`
	// Home tells apart the Kolibris of different schools; a visitor stays with one.
	Home string `json:"home,omitempty"`
	// Prefix is the path below which this Kolibri lives, with a slash at both ends.
	Prefix string `json:"prefix,omitempty"`
	Name   string `json:"name,omitempty"` // for people
}

// Admission tells a tab that it is in.
type Admission struct {
	Session   string   `json:"session"`
	Key       string   `json:"key,omitempty"` // only when a code was used; for the next Join
	Addresses []string `json:"addresses"`     // where others find this tab
	Picture   []string `json:"picture"`       // QR of the first address, rows of 0 and 1
	Hosts     []string `json:"hosts"`         // what the gateway leads to
}

// WithHead makes a Request or Response frame of a head and the first part of its body.
func WithHead(kind Kind, stream uint32, head any, body []byte, end bool) (Frame, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return Frame{}, err
	}
	if len(text) > MaxHead || len(body) > MaxPart {
		return Frame{}, malformed("a head of %d bytes", len(text))
	}
	payload := make([]byte, 0, 4+len(text)+len(body))
	payload = binary.BigEndian.AppendUint32(payload, uint32(len(text)))
	payload = append(append(payload, text...), body...)
	f := Frame{Kind: kind, Stream: stream, Payload: payload}
	if end {
		f.Flags = End
	}
	return f, nil
}

func splitHead(payload []byte, head any) (body []byte, err error) {
	if len(payload) < 4 {
		return nil, malformed("no head")
	}
	n := binary.BigEndian.Uint32(payload)
	if n > MaxHead || int(n) > len(payload)-4 {
		return nil, malformed("a head of %d bytes", n)
	}
	if err := json.Unmarshal(payload[4:4+n], head); err != nil {
		return nil, malformed("a head that is no JSON: %v", err)
	}
	if body = payload[4+n:]; len(body) > MaxPart {
		return nil, malformed("a part of %d bytes", len(body))
	}
	return body, nil
}

// ReadRequest takes a Request frame apart.
func ReadRequest(f Frame) (head RequestHead, body []byte, err error) {
	if body, err = splitHead(f.Payload, &head); err != nil {
		return head, nil, err
	}
	if !httpguts.ValidHeaderFieldName(head.Method) {
		return head, nil, malformed("the method %q", head.Method)
	}
	return head, body, head.Headers.check()
}

// ReadResponse takes a Response frame apart and refuses what could not stand in an answer of HTTP.
func ReadResponse(f Frame) (head ResponseHead, body []byte, err error) {
	if body, err = splitHead(f.Payload, &head); err != nil {
		return head, nil, err
	}
	if head.Status < 200 || head.Status > 599 {
		return head, nil, malformed("the status %d", head.Status)
	}
	return head, body, head.Headers.check()
}

// maxPairs bounds what a head may make of the receiver's memory.
const maxPairs = 1000

func (h Headers) check() error {
	if len(h) > maxPairs {
		return malformed("%d headers", len(h))
	}
	for _, pair := range h {
		if !httpguts.ValidHeaderFieldName(pair[0]) {
			return malformed("the header's name %q", pair[0])
		}
		value, ok := toBytes(pair[1])
		if !ok || !httpguts.ValidHeaderFieldValue(value) {
			return malformed("the value of %s", pair[0])
		}
	}
	return nil
}

// hopByHop concern one connection and not the message (RFC 9110, 7.6.1), or are made anew on this
// side. Whoever passed them on would let one side cut messages otherwise than the other.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// FromHTTP lists what of a header is the message's.
func FromHTTP(header http.Header) Headers {
	skip := map[string]bool{}
	for _, name := range hopByHop {
		skip[name] = true
	}
	for _, value := range header.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			skip[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
		}
	}
	list := make(Headers, 0, len(header)+4)
	for name, values := range header {
		if skip[name] {
			continue
		}
		for _, v := range values {
			list = append(list, [2]string{name, fromBytes(v)})
		}
	}
	return list
}

// Into adds the headers to an answer, except for those that concern a connection.
func (h Headers) Into(header http.Header) {
	skip := slices.Clone(hopByHop)
	for _, pair := range h {
		if strings.EqualFold(pair[0], "Connection") {
			for name := range strings.SplitSeq(pair[1], ",") {
				skip = append(skip, http.CanonicalHeaderKey(strings.TrimSpace(name)))
			}
		}
	}
	for _, pair := range h {
		name := http.CanonicalHeaderKey(pair[0])
		if slices.Contains(skip, name) {
			continue
		}
		value, _ := toBytes(pair[1])
		header[name] = append(header[name], value)
	}
}

// Get returns the first value of a header.
func (h Headers) Get(name string) string {
	for _, pair := range h {
		if strings.EqualFold(pair[0], name) {
			return pair[1]
		}
	}
	return ""
}

func fromBytes(value string) string {
	if isASCII(value) {
		return value
	}
	runes := make([]rune, len(value))
	for i := range len(value) {
		runes[i] = rune(value[i])
	}
	return string(runes)
}

func toBytes(text string) (value string, ok bool) {
	if isASCII(text) {
		return text, true
	}
	bytes := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		bytes = append(bytes, byte(r))
	}
	return string(bytes), true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
