package transfer

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/store"
)

// home is what a real Kolibri had in its tables, with every synchronized model, and what its morango
// made of it.
type home struct {
	Tables []struct {
		Name    string
		Columns []string
		Rows    [][]any
	}
	// Store are id, model name, partition, source id, parent and serialized text.
	Store [][6]string
}

//go:embed testdata/home.json.gz
var packedHome []byte

func readHome(t testing.TB) (h home) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packedHome))
	require.NoError(t, err)
	decoder := json.NewDecoder(unpacked)
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&h))
	return h
}

// filter is the whole facility.
func (h *home) filter() Filter {
	for _, r := range h.Store {
		if r[1] == "facilitydataset" {
			return Filter{r[0]}
		}
	}
	return nil
}

// fill puts the home's rows into a database.
func (h *home) fill(t testing.TB, db *store.DB) {
	write(t, db, func(tx *store.Tx) {
		for _, table := range h.Tables {
			for _, row := range table.Rows {
				args := make([]any, len(row))
				for i, v := range row {
					args[i] = v
					if number, ok := v.(json.Number); ok {
						args[i] = string(number)
						if isFlag(table.Name, table.Columns[i]) {
							args[i] = number == "1"
						} else if whole, err := number.Int64(); err == nil {
							args[i] = whole
						}
					}
				}
				_, err := tx.Exec("INSERT INTO "+table.Name+" ("+strings.Join(table.Columns, ", ")+") VALUES "+places(len(row)), args...)
				require.NoError(t, err, table.Name)
			}
		}
	})
}

func places(n int) string { return "(?" + strings.Repeat(", ?", n-1) + ")" }

func isFlag(table, column string) bool {
	for _, m := range models() {
		if i, ok := m.byName[column]; ok && m.Table == table {
			return m.fields[i].kind == kindBool
		}
	}
	return column == "_morango_dirty_bit"
}

// introduce gives a database its ids.
func introduce(t testing.TB, db *store.DB) {
	write(t, db, func(tx *store.Tx) {
		_, err := morango.EnsureInstance(tx, rand.Reader, morango.Machine{})
		require.NoError(t, err)
	})
}

func write(t testing.TB, db *store.DB, fn func(tx *store.Tx)) {
	t.Helper()
	require.NoError(t, db.Write(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }))
}
