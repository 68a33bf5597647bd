//go:build !js

package transfer

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
)

// vectors are what the real morango's functions gave.
type vectors struct {
	FSIC []struct {
		Raw, Reduced  FSIC
		Filter        Filter
		Expanded      map[string]Counters
		OtherExpanded map[string]Counters `json:"other_expanded"`
		Diff          map[string]Counters
	}
	V1       [][3]Counters
	Chunk    [][3]json.RawMessage
	Sha2UUID [][4]string `json:"sha2_uuid"`
}

func readVectors(t *testing.T) (v vectors) {
	file, err := os.Open("testdata/vectors.json.gz")
	require.NoError(t, err)
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	require.NoError(t, err)
	require.NoError(t, json.NewDecoder(unpacked).Decode(&v))
	require.Len(t, v.FSIC, 400)
	require.Len(t, v.V1, 400)
	return v
}

func TestCountersAreThoseOfTheRealMorango(t *testing.T) {
	v := readVectors(t)
	for i, c := range v.FSIC {
		require.Equal(t, c.Expanded, c.Raw.Expand(c.Filter), "vector %d", i)
		c.Raw.Reduce()
		require.Equal(t, c.Reduced, c.Raw, "vector %d", i)
		require.Equal(t, c.Diff, Diff(c.Expanded, c.OtherExpanded), "vector %d", i)
	}
	for i, c := range v.V1 {
		require.Equal(t, c[2], DiffV1(c[0], c[1]), "vector %d", i)
	}
	require.NotEmpty(t, v.Chunk)
	for i, c := range v.Chunk {
		var diff map[string]Counters
		var size int
		var chunks []map[string]Counters
		for j, into := range []any{&diff, &size, &chunks} {
			require.NoError(t, json.Unmarshal(c[j], into))
		}
		require.Equal(t, chunks, Chunk(diff, size), "vector %d", i)
	}
}

func TestIDsAreThoseOfTheRealMorango(t *testing.T) {
	v := readVectors(t)
	require.Len(t, v.Sha2UUID, 50)
	for _, c := range v.Sha2UUID {
		require.Equal(t, c[3], morango.UUID(c[0], c[1], c[2]))
	}
}

func TestMalformedCountersAreRefused(t *testing.T) {
	const id = "5ed8892ebca42149b221587e4d04a873"
	for name, text := range map[string]string{
		"no JSON":          `{"sub"`,
		"no object":        `[]`,
		"no super":         `{"sub": {}}`,
		"null":             `{"sub": null, "super": {}}`,
		"a version 1":      `{"` + id + `": 4}`,
		"no id":            `{"super": {}, "sub": {"p": {"x": 1}}}`,
		"upper case":       `{"super": {}, "sub": {"p": {"5ED8892EBCA42149B221587E4D04A873": 1}}}`,
		"negative":         `{"super": {}, "sub": {"p": {"` + id + `": -1}}}`,
		"too high":         `{"super": {}, "sub": {"p": {"` + id + `": 2147483648}}}`,
		"a fraction":       `{"super": {"p": {"` + id + `": 1.5}}, "sub": {}}`,
		"a long partition": `{"super": {}, "sub": {"ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp": {}}}`,
	} {
		_, err := ParseFSIC(text)
		require.ErrorIs(t, err, ErrFSIC, name)
	}
	f, err := ParseFSIC(`{"super": {}, "sub": {"p": {"` + id + `": 7}, "q": {}}}`)
	require.NoError(t, err)
	again, err := ParseFSIC(f.String())
	require.NoError(t, err)
	require.Equal(t, f, again)
}

func TestFiltersAndScopes(t *testing.T) {
	ds, user := "1a7b9a42e2b79e6787e6207b6203a412", "30220a8cfbf393c0da07a3e95246e437"
	single, ok := ScopeOf("single-user", map[string]string{"dataset_id": ds, "user_id": user})
	require.True(t, ok)
	require.Equal(t, Filter{ds + ":user-rw:" + user, ds + ":allusers-ro", ds + ":user-ro:" + user}, single.Read)
	require.Equal(t, Filter{ds + ":user-rw:" + user, ds + ":anonymous"}, single.Write)
	full, ok := ScopeOf("full-facility", map[string]string{"dataset_id": ds})
	require.True(t, ok)
	require.True(t, single.Within(full))
	require.False(t, full.Within(single))
	for name, params := range map[string]map[string]string{
		"no parameters": {}, "a blank": {"dataset_id": "a b", "user_id": "u"}, "nobody": {"dataset_id": ds}, "a template": {"dataset_id": ds, "user_id": "${dataset_id}"},
	} {
		_, ok := ScopeOf("single-user", params)
		require.False(t, ok, name)
	}
	_, ok = ScopeOf("everything", map[string]string{"dataset_id": ds})
	require.False(t, ok)

	f := ParseFilter("a:b\nc  d\n")
	require.Equal(t, Filter{"a:b", "c", "d"}, f)
	require.True(t, f.Contains("a:bc"))
	require.False(t, f.Contains("a:"))
	require.False(t, ParseFilter("").Within(f), "an empty filter is not everything")
	require.False(t, ParseFilter("").Contains(""))
	require.True(t, f.Equal(Filter{"d", "c", "a:b"}))
	require.Equal(t, Filter{"a:b", "c", "d", "e"}, f.Add(Filter{"c", "e"}))
}
