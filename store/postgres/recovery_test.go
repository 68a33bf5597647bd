//go:build !js

package postgres_test

import (
	"context"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
)

// TestTroubles shares one server, since starting one takes longer than what is tested.
func TestTroubles(t *testing.T) {
	server := pgtest.Start(t)
	for name, test := range map[string]func(*testing.T, *pgtest.Server){
		"a restart amid transactions": restartAmidTransactions, "a failover": failover, "readers do not write": readersDoNotWrite,
		"a full disk": fullDisk, "replicas migrate one at a time": replicasMigrateOneAtATime, "other releases": otherReleases,
	} {
		t.Run(name, func(t *testing.T) {
			server.SQL(t, "postgres", "DROP DATABASE IF EXISTS school")
			server.CreateDatabase(t, "school")
			test(t, server)
		})
	}
}

func school(t *testing.T, server *pgtest.Server) *store.DB {
	db, err := postgres.Open(context.Background(), options(server, "school"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

func note(db *store.DB, id string) error {
	return db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", id, tx.Now())
		return err
	})
}

const (
	first  = "00000000000000000000000000000001"
	second = "00000000000000000000000000000002"
	third  = "00000000000000000000000000000003"
)

func restartAmidTransactions(t *testing.T, server *pgtest.Server) {
	db := school(t, server)
	for name, signal := range map[string]syscall.Signal{"a restart": syscall.SIGINT, "a crash": syscall.SIGQUIT} {
		ctx := context.Background()
		working, err := db.Begin(ctx, store.Write)
		require.NoError(t, err)
		defer working.Rollback()
		ending, err := db.Begin(ctx, store.Write)
		require.NoError(t, err)
		defer ending.Rollback()
		_, err = ending.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", first, ending.Now())
		require.NoError(t, err)
		server.Stop(t, signal)
		_, err = working.Exec("DELETE FROM morango_nonce")
		require.ErrorIs(t, err, store.ErrUnavailable, name)
		require.ErrorIs(t, ending.Commit(), store.ErrUnavailable, name)
		require.ErrorIs(t, note(db, first), store.ErrUnavailable, name)
		server.Again(t)
		require.NoError(t, note(db, first), "%s: the pool finds its way back by itself, and nothing was half written", name)
		require.NoError(t, db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec("DELETE FROM morango_nonce"); return err }))
	}
}

// failover: after one, connections to the old primary are worth nothing, although they answer.
func failover(t *testing.T, server *pgtest.Server) {
	db := school(t, server)
	require.NoError(t, note(db, first))
	server.SQL(t, "postgres", "ALTER SYSTEM SET default_transaction_read_only = on")
	server.Reload(t)
	require.Eventually(t, func() bool {
		err := note(db, second)
		if err != nil {
			require.ErrorIs(t, err, store.ErrUnavailable)
		}
		return err != nil
	}, time.Minute, 20*time.Millisecond)
	_, err := postgres.Open(context.Background(), options(server, "school"), nil)
	var failed *store.OpenError
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Hint, "standby")
	server.Write(t, "postgresql.auto.conf", nil) // it is the primary again
	server.SQL(t, "postgres", "SELECT pg_reload_conf()")
	require.Eventually(t, func() bool { return note(db, third) == nil }, time.Minute, 20*time.Millisecond)
}

// readersDoNotWrite: a reader that writes is our mistake, and no reason to give up a connection.
func readersDoNotWrite(t *testing.T, server *pgtest.Server) {
	db := school(t, server)
	require.ErrorIs(t, db.Read(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM morango_nonce")
		return err
	}), store.ErrReadOnly)
}

func fullDisk(t *testing.T, server *pgtest.Server) {
	db := school(t, server)
	server.SQL(t, "school", `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
		CREATE TRIGGER full_disk BEFORE INSERT ON morango_nonce EXECUTE FUNCTION full_disk()`)
	require.ErrorIs(t, note(db, first), store.ErrFull)
	server.SQL(t, "school", "DROP TRIGGER full_disk ON morango_nonce")
	require.NoError(t, note(db, first))
}

func replicasMigrateOneAtATime(t *testing.T, server *pgtest.Server) {
	var group sync.WaitGroup
	failed := make(chan error, 4)
	for range cap(failed) {
		group.Go(func() {
			db, err := postgres.Open(context.Background(), options(server, "school"), nil)
			if err == nil {
				err = db.Close()
			}
			failed <- err
		})
	}
	group.Wait()
	for range cap(failed) {
		require.NoError(t, <-failed)
	}
}

func otherReleases(t *testing.T, server *pgtest.Server) {
	require.NoError(t, school(t, server).Close())
	open := func() error {
		db, err := postgres.Open(context.Background(), options(server, "school"), nil)
		if err == nil {
			err = db.Close()
		}
		return err
	}
	server.SQL(t, "school", "INSERT INTO django_migrations (app, name, applied) VALUES ('a_plugin', '0001_initial', now())")
	require.NoError(t, open(), "others' tables are none of our business")
	server.SQL(t, "school", "INSERT INTO django_migrations (app, name, applied) VALUES ('device', '0099_of_the_future', now())")
	require.ErrorIs(t, open(), store.ErrNewer)
	server.SQL(t, "school", "DELETE FROM django_migrations WHERE name IN ('0099_of_the_future', '0001_initial') AND app IN ('device', 'kolibriauth')")
	err := open()
	require.ErrorIs(t, err, postgres.ErrOlder)
	require.ErrorContains(t, err, ".0001_initial")
}
