package depot

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, d *Depot)) {
	t.Run("sqlite", func(t *testing.T) {
		d, err := Open(t.Context(), filepath.Join(t.TempDir(), "relay.sqlite3"))
		require.NoError(t, err)
		defer d.Close()
		test(t, d)
	})
	t.Run("postgres", func(t *testing.T) {
		server := pgtest.Start(t)
		server.CreateDatabase(t, "relay")
		address := fmt.Sprintf("postgres://postgres@%s:%d/relay", server.Host, server.Port)
		d, err := Open(t.Context(), address)
		require.NoError(t, err)
		defer d.Close()
		test(t, d)
	})
}

func TestDepot(t *testing.T) {
	onBoth(t, func(t *testing.T, d *Depot) {
		t.Run("apps", func(t *testing.T) { testApps(t, d) })
		t.Run("values", func(t *testing.T) { testValues(t, d) })
		t.Run("counting at once", func(t *testing.T) { testCounting(t, d) })
		t.Run("nodes", func(t *testing.T) { testNodes(t, d) })
	})
}

func testApps(t *testing.T, d *Depot) {
	ctx := t.Context()
	for _, name := range []string{"", "A", "a b", "-a", "a-", "1a", strings.Repeat("a", 41), "a/b", "a\x00"} {
		_, err := d.Deploy(ctx, name, "x")
		require.ErrorIs(t, err, ErrName, name)
	}
	for i, code := range []string{"one", "two", "three"} {
		v, err := d.Deploy(ctx, "hello", code)
		require.NoError(t, err)
		require.EqualValues(t, i+1, v)
	}
	v, err := d.RollBack(ctx, "hello", 0)
	require.NoError(t, err)
	require.EqualValues(t, 2, v)
	live, err := d.Live(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int64{"hello": 2}, live)
	_, err = d.RollBack(ctx, "hello", 9)
	require.ErrorIs(t, err, ErrNotFound)
	_, err = d.RollBack(ctx, "hello", 1)
	require.NoError(t, err)
	_, err = d.RollBack(ctx, "hello", 0)
	require.ErrorIs(t, err, ErrNotFound, "there is none before the first")
	v, err = d.Deploy(ctx, "hello", "four")
	require.NoError(t, err)
	require.EqualValues(t, 4, v, "numbers are not used twice")
	code, err := d.Code(ctx, "hello", 3)
	require.NoError(t, err)
	require.Equal(t, "three", code)
	versions, err := d.Versions(ctx, "hello")
	require.NoError(t, err)
	require.Len(t, versions, 4)
	require.True(t, versions[0].Live)
	require.NoError(t, d.Remove(ctx, "hello"))
	require.ErrorIs(t, d.Remove(ctx, "hello"), ErrNotFound)
	_, err = d.Versions(ctx, "hello")
	require.ErrorIs(t, err, ErrNotFound)
}

func testValues(t *testing.T, d *Depot) {
	ctx := t.Context()
	_, err := d.Get(ctx, "a", "k")
	require.ErrorIs(t, err, ErrNotFound)
	v1, err := d.Put(ctx, "a", "k", []byte{0, 255}, 0, 0)
	require.NoError(t, err)
	_, err = d.Put(ctx, "a", "k", nil, 0, 0)
	require.ErrorIs(t, err, ErrConflict, "it is there already")
	v2, err := d.Put(ctx, "a", "k", []byte("2"), v1, 0)
	require.NoError(t, err)
	require.Greater(t, v2, v1)
	_, err = d.Put(ctx, "a", "k", []byte("3"), v1, 0)
	require.ErrorIs(t, err, ErrConflict)
	got, err := d.Get(ctx, "a", "k")
	require.NoError(t, err)
	require.Equal(t, Value{Key: "k", Value: []byte("2"), Version: v2}, got)
	_, err = d.Get(ctx, "b", "k")
	require.ErrorIs(t, err, ErrNotFound, "apps do not see each other's values")

	require.ErrorIs(t, d.Delete(ctx, "a", "k", v1), ErrConflict)
	require.NoError(t, d.Delete(ctx, "a", "k", v2))
	require.ErrorIs(t, d.Delete(ctx, "a", "k", Any), ErrNotFound)
	v3, err := d.Put(ctx, "a", "k", nil, Any, 0)
	require.NoError(t, err)
	require.Greater(t, v3, v2, "a version does not come back")

	_, err = d.Put(ctx, "a", "soon", []byte("x"), Any, time.Hour)
	require.NoError(t, err)
	_, err = d.Get(ctx, "a", "soon")
	require.NoError(t, err)
	_, err = d.Put(ctx, "a", "soon", []byte("x"), Any, time.Millisecond)
	require.NoError(t, err)
	time.Sleep(2 * time.Millisecond)
	_, err = d.Get(ctx, "a", "soon")
	require.ErrorIs(t, err, ErrNotFound)
	_, err = d.Put(ctx, "a", "soon", []byte("y"), 0, time.Millisecond)
	require.NoError(t, err, "what has expired is not there")
	time.Sleep(2 * time.Millisecond)
	require.NoError(t, d.Sweep(ctx))

	for _, key := range []string{"p/é1", "p/2", "p/1", "P/1", "q%"} {
		_, err = d.Put(ctx, "list", key, nil, Any, 0)
		require.NoError(t, err)
	}
	keys := func(prefix, after string, limit int) (names []string) {
		list, err := d.List(ctx, "list", prefix, after, limit)
		require.NoError(t, err)
		for _, v := range list {
			names = append(names, v.Key)
		}
		return names
	}
	require.Equal(t, []string{"P/1", "p/1", "p/2", "p/é1", "q%"}, keys("", "", 0))
	require.Equal(t, []string{"p/1", "p/2"}, keys("p/", "", 2))
	require.Equal(t, []string{"p/é1"}, keys("p/", "p/2", 0))
	require.Empty(t, keys("%", "", 0))

	for _, key := range []string{"", strings.Repeat("k", MaxKey+1), "a\x00", "\xff"} {
		_, err = d.Put(ctx, "a", key, nil, Any, 0)
		require.ErrorIs(t, err, ErrKey)
	}
	_, err = d.Put(ctx, "a", "k", make([]byte, MaxValue+1), Any, 0)
	require.ErrorIs(t, err, ErrTooLarge)
}

// Many that look at the version before they write lose nothing.
func testCounting(t *testing.T, d *Depot) {
	ctx := t.Context()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for done := 0; done < 5; {
				v, err := d.Get(ctx, "count", "n")
				if err != nil {
					v = Value{}
				}
				if _, err = d.Put(ctx, "count", "n", append(v.Value, 'x'), v.Version, 0); err == nil {
					done++
				}
			}
		})
	}
	wg.Wait()
	v, err := d.Get(ctx, "count", "n")
	require.NoError(t, err)
	require.Len(t, v.Value, 40)
}

func testNodes(t *testing.T, d *Depot) {
	ctx := context.Background()
	others, err := d.Announce(ctx, Node{ID: "a", URL: "http://a", Tabs: "{}"})
	require.NoError(t, err)
	require.Empty(t, others)
	others, err = d.Announce(ctx, Node{ID: "b", URL: "http://b", Tabs: "{}"})
	require.NoError(t, err)
	require.Equal(t, []Node{{"a", "http://a", "{}"}}, others)
	require.NoError(t, d.Leave(ctx, "a"))
	others, err = d.Announce(ctx, Node{ID: "b", URL: "http://b", Tabs: "{}"})
	require.NoError(t, err)
	require.Empty(t, others)
	first, err := d.Secret(ctx, "s", "1")
	require.NoError(t, err)
	second, err := d.Secret(ctx, "s", "2")
	require.NoError(t, err)
	require.Equal(t, [2]string{"1", "1"}, [2]string{first, second})
}
