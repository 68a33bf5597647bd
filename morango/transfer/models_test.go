//go:build !js

package transfer

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
)

func TestSerializedAsByTheRealMorango(t *testing.T) {
	h, db := readHome(t), openDB(t)
	h.fill(t, db)
	write(t, db, func(tx *store.Tx) {
		done, err := Serialize(tx, h.filter(), Options{})
		require.NoError(t, err)
		require.Equal(t, Result{Records: len(h.Store)}, done)
	})
	seen := map[string]bool{}
	write(t, db, func(tx *store.Tx) {
		for _, want := range h.Store {
			var got [6]string
			require.NoError(t, tx.QueryRow("SELECT id, model_name, partition, source_id, _self_ref_fk, serialized FROM morango_store WHERE id = ?", want[0]).
				Scan(&got[0], &got[1], &got[2], &got[3], &got[4], &got[5]))
			require.Equal(t, want, got)
			seen[want[1]] = true
		}
	})
	require.Len(t, seen, len(morango.Models))
}

func TestEveryModelTravels(t *testing.T) {
	for _, v2 := range []bool{true, false} {
		t.Run(fmt.Sprint("FSIC v2 ", v2), func(t *testing.T) {
			h := readHome(t)
			a, b, c := &device{openDB(t), "a"}, &device{openDB(t), "b"}, &device{openDB(t), "c"}
			h.fill(t, a.DB)
			require.EqualValues(t, len(h.Store), send(t, a, b, h.filter(), v2))
			require.Empty(t, b.failures(t))
			require.Equal(t, a.rows(t), b.rows(t))
			require.Equal(t, a.stored(t), b.stored(t))
			require.EqualValues(t, len(h.Store), send(t, b, c, h.filter(), v2))
			require.Equal(t, a.rows(t), c.rows(t))
			for _, pair := range [][2]*device{{a, b}, {b, a}, {b, c}, {c, b}, {a, c}, {c, a}} {
				require.Zero(t, send(t, pair[0], pair[1], h.filter(), v2), "%s to %s", pair[0].name, pair[1].name)
			}
		})
	}
}
