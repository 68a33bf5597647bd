package network

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
)

// says is the way out to a device that says one thing, whatever it is asked.
type says string

func (s says) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

func TestConnect(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"a Kolibri":                 {`{"application": "kolibri", "instance_id": "1"}`, ""},
		"another program":           {`{"application": "other"}`, InvalidResponse},
		"no JSON":                   {`<html>`, InvalidResponse},
		"JSON without end":          {`{"application": "kolibri"`, InvalidResponse},
		"values that nest deeply":   {`{"application": "kolibri", "more": ` + deep + `}`, InvalidResponse},
		"an answer that is too big": {`{"application": "kolibri", "more": "` + strings.Repeat("x", maxAnswer) + `"}`, ResponseFailure},
	} {
		t.Run(name, func(t *testing.T) {
			err := NewClient(&api.Host{HTTP: says(c.text)}, "http://far.example").Connect(t.Context())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			var failed *Error
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.want, failed.Kind)
		})
	}
}
