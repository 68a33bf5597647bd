package nesting

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDeepNestingIsRefused(t *testing.T) {
	for deep, want := range map[int]error{0: nil, most: nil, most + 1: ErrTooDeep, 1_000_000: ErrTooDeep} {
		for _, text := range []string{
			strings.Repeat("[", deep) + strings.Repeat("]", deep),
			strings.Repeat(`{"a\\\"": `, deep) + `"[{"` + strings.Repeat("}", deep),
		} {
			require.Equal(t, want, Check(text), deep)
			require.Equal(t, want, Check([]byte(text)), deep)
		}
	}
	require.NoError(t, Check(`["`+strings.Repeat(`[\"`, most+1)+`"]`), "brackets in a text nest nothing")
}
