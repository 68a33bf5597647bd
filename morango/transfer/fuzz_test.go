//go:build !js

package transfer

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzPairs compares with encoding/json what is an object, what its members are, and what a text says.
func FuzzPairs(f *testing.F) {
	for _, seed := range []string{`{}`, ` { "a" : 1 , "b":[{"c":null}, -0.5e+7, true] } `, `{"a": "\ud83d\ude00 \u00e9\n\"", "a": "\ud83d"}`, `{"a":01}`,
		`{"a":1,}`, `{"a"}`, `[1]`, `{"a":"` + "\xff" + `é"}`, `{"a":"` + "\x01" + `"}`, `{"a":1e}`, `{"a":-}`, `{"a":tru}`, `{"a":"\x"}`, `{"\u12G4":1}`, `{"a":"\ud83d\u0041"}`,
		`{"a":1} x`, `{"a":[}`, `{"a":"\`, `{"a":.5}`, `null`, ``, `{"":"\u0000\/"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want map[string]json.RawMessage
		err := json.Unmarshal([]byte(text), &want)
		got, failure := pairs(text)
		if err != nil || want == nil {
			require.Error(t, failure)
			return
		}
		require.NoError(t, failure)
		have := map[string]json.RawMessage{}
		for _, p := range got {
			have[p.name] = json.RawMessage(p.value)
			if p.value[0] == '"' {
				var said string
				require.NoError(t, json.Unmarshal([]byte(p.value), &said))
				require.Equal(t, said, unquote(p.value))
			}
		}
		require.Equal(t, want, have)
	})
}
