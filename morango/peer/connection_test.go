package peer

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// says is the way to a device that says one thing, whatever it is asked.
type says struct {
	status int
	text   string
}

func (s says) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Request: r, Body: io.NopCloser(strings.NewReader(s.text))}, nil
}

func TestConnect(t *testing.T) {
	deep := strings.Repeat(`{"a": `, 1000) + "1" + strings.Repeat("}", 1000)
	for name, c := range map[string]struct {
		answer says
		want   string // what the error says
	}{
		"a Kolibri":                            {says{200, `{"instance_id": "1", "capabilities": ["FSIC_V2_FORMAT"]}`}, ""},
		"a refusal":                            {says{403, `"No."`}, "403 to GET api/morango/v1/morangoinfo/1/: No."},
		"no JSON":                              {says{200, `<html>`}, "cannot be read"},
		"values that nest deeply":              {says{200, `{"instance_id": "1", "more": ` + deep + `}`}, "nest too deeply"},
		"a refusal with values of great depth": {says{403, deep}, "nest too deeply"},
	} {
		t.Run(name, func(t *testing.T) {
			connection, err := Connect(t.Context(), c.answer, "http://far.example", "test")
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "1", connection.InstanceID)
		})
	}
}
