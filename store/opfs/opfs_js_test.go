package opfs_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/opfs"
)

func TestOpenMakesTheSchemaOnce(t *testing.T) {
	ctx := context.Background()
	require.NoError(t, opfs.Available(ctx))
	for range 2 {
		db, err := opfs.Open(ctx, "schema", "db.sqlite3", nil)
		require.NoError(t, err)
		require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
			n, err := tx.Int("SELECT count(*) FROM auth_permission")
			require.EqualValues(t, 312, n)
			return err
		}))
		require.NoError(t, db.Close())
	}
}
