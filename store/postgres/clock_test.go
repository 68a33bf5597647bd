//go:build !js

package postgres

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

func TestWrongLocalClock(t *testing.T) {
	server := pgtest.Start(t)
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, "host="+server.Host+" port="+strconv.Itoa(server.Port)+" user=postgres dbname=postgres")
	require.NoError(t, err)
	defer conn.Close(ctx)
	for name, off := range map[string]time.Duration{"right": 0, "an hour fast": time.Hour, "years slow": -9000 * time.Hour} {
		wrong := off
		c := &clock{local: func() time.Time { return time.Now().Round(0).Add(wrong) }}
		require.True(t, c.stale(), name)
		require.NoError(t, c.read(ctx, conn))
		require.False(t, c.stale(), name)
		require.WithinDuration(t, time.Now(), c.now(), time.Second, name)
		require.Equal(t, time.UTC, c.now().Location(), name)
		before := c.now()
		require.NoError(t, c.read(ctx, conn))
		require.False(t, c.now().Before(before), "%s: a new reading that says the same does not turn it back", name)
		wrong += 10 * time.Minute // somebody sets it
		require.True(t, c.stale(), name)
		require.NoError(t, c.read(ctx, conn))
		require.WithinDuration(t, time.Now(), c.now(), time.Second, name)
	}
}
