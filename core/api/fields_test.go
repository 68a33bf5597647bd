package api_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
)

func TestTruth(t *testing.T) {
	for _, v := range []any{true, "x", "false", []any{nil}, map[string]any{"a": nil}, json.Number("0.5"), json.Number("-1"), json.Number("1e999")} {
		require.True(t, api.Truth(v), "%#v", v)
	}
	for _, v := range []any{nil, false, "", []any{}, map[string]any{}, json.Number("0"), json.Number("0.0"), json.Number("-0")} {
		require.False(t, api.Truth(v), "%#v", v)
	}
}
