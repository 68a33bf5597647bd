package upstream

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/provider/platform"
)

func answer(text string) *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(text))}
}

func TestStream(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`: nil, `[{"id":"a"},{"id":"b"}]`: {"a", "b"}, `{"results":[{"id":"a"}],"more":null}`: {"a"}, `{"count":1,"results":[{"id":"a"}]}`: {"a"},
	} {
		var got []string
		_, err := Stream(answer(text), func(v struct{ ID string }) error {
			got = append(got, v.ID)
			return nil
		})
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "null", "7", `"x"`, "{", "[", `[{"id":"a"}`, `[{"id":"a"},`, `[{"id":7}]`, `[{"id":"a"}}`, `{"results":7}`, `{"results":[`, `{"count":1}`, "<html>"} {
		_, err := Stream(answer(text), func(struct{ ID string }) error { return nil })
		require.ErrorIs(t, err, platform.ErrMalformed, text)
	}
	stop := errors.New("enough")
	_, err := Stream(answer(`[{"id":"a"},{"id":"b"}]`), func(struct{ ID string }) error { return stop })
	require.ErrorIs(t, err, stop)
}

func FuzzStream(f *testing.F) {
	for _, seed := range []string{`[]`, `[{"id":"a"}]`, `{"results":[{"id":"a"}],"more":{"x":1}}`, `{"results":[`, `[[[[`, "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		_, err := Stream(answer(text), func(json.RawMessage) error { n++; return nil })
		if err != nil {
			require.ErrorIs(t, err, platform.ErrMalformed)
		} else {
			require.LessOrEqual(t, n, len(text))
		}
	})
}

func TestAnswersWithoutEndAreEnded(t *testing.T) {
	b := &limitedBody{ReadCloser: io.NopCloser(strings.NewReader(strings.Repeat("x", 100))), left: 10}
	_, err := io.ReadAll(b)
	require.ErrorIs(t, err, platform.ErrMalformed)
	require.ErrorIs(t, Decode(answer(`"`+strings.Repeat("x", maxSmall)+`"`), new(string)), platform.ErrMalformed)
}

func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": defaultPause, "3": 3 * time.Second, "0.5": time.Second / 2, "-1": defaultPause, "999999": maxWait, "soon": defaultPause,
		"Sun, 06 Nov 1994 08:49:37 GMT": 0} {
		require.Equal(t, want, RetryAfter(&http.Response{Header: http.Header{"Retry-After": {text}}}), text)
	}
}

func TestRefusalsOfQuotaAndOfPermission(t *testing.T) {
	for left, throttled := range map[string]bool{"": false, "0.0": true, "-3.2": true, "599.9": false, "much": false} {
		a := &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}}
		if left != "" {
			a.Header.Set("X-Rate-Limit-Remaining", left)
		}
		require.Equal(t, throttled, IsThrottle(a), left)
	}
}
