package transfer

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeepNestingIsRefused(t *testing.T) {
	for deep, refused := range map[int]bool{1_000: false, maxDepth - 1: false, maxDepth: true, 1_000_000: true} {
		for _, text := range []string{
			`{"a":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
			strings.Repeat(`{"a": `, deep+1) + "1" + strings.Repeat("}", deep+1),
		} {
			_, err := pairs(text)
			require.Equal(t, refused, err != nil, deep)
			require.Equal(t, !refused, json.Valid([]byte(text)), deep)
		}
	}
}

// What a record's field of JSON holds is read again by the apps, with recursion.
func TestFieldsThatNestTooDeeplyStayOutOfTheApps(t *testing.T) {
	f := &field{name: "resources", kind: kindJSON}
	for deep, refused := range map[int]bool{400: false, 1_000: true} {
		text := strings.Repeat("[", deep) + strings.Repeat("]", deep)
		for _, isText := range []bool{true, false} {
			_, err := f.decodeJSON(text, text, isText)
			require.Equal(t, refused, err != nil, deep)
		}
	}
}
