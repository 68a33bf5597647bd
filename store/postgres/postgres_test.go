//go:build !js

package postgres_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
	"kolibri/store/storetest"
)

func options(server *pgtest.Server, database string) postgres.Options {
	return postgres.Options{Name: database, User: "postgres", Host: server.Host, Port: strconv.Itoa(server.Port)}
}

func TestConformance(t *testing.T) {
	server := pgtest.Start(t)
	made := map[string]bool{}
	storetest.Run(t, storetest.Backend{
		Open: func(ctx context.Context, name string) (*store.DB, error) {
			if !made[name] {
				server.CreateDatabase(t, name)
				made[name] = true
			}
			pool, err := postgres.OpenPool(ctx, options(server, name))
			if err != nil {
				return nil, err
			}
			return store.New(pool, store.Postgres, nil), nil
		},
	})
}

const golden = "../testdata/schema-postgres.tsv"

// TestSchema compares the schema that our migrations make with the one that Kolibri 0.19.5's own
// migrations make. To record the golden anew, let a real Kolibri migrate a database and name it by
// KOLIBRI_DATABASE_HOST, _PORT, _NAME and _USER:
//
//	go test ./store/postgres -run Schema -record
func TestSchema(t *testing.T) {
	ctx := context.Background()
	var db *store.DB
	if storetest.Recording() {
		pool, err := postgres.OpenPool(ctx, postgres.Options{
			Name: os.Getenv("KOLIBRI_DATABASE_NAME"), User: os.Getenv("KOLIBRI_DATABASE_USER"),
			Host: os.Getenv("KOLIBRI_DATABASE_HOST"), Port: os.Getenv("KOLIBRI_DATABASE_PORT"),
		})
		require.NoError(t, err)
		db = store.New(pool, store.Postgres, nil)
	} else {
		server := pgtest.Start(t)
		server.CreateDatabase(t, "school")
		for range 2 { // the second time it finds everything there
			var err error
			db, err = postgres.Open(ctx, options(server, "school"), nil)
			require.NoError(t, err)
			defer db.Close()
		}
	}
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		facts, err := storetest.SchemaFacts(tx)
		require.NoError(t, err)
		storetest.CompareSchema(t, golden, facts)
		return nil
	}))
}

// TestRowsLookAsInSQLite: what differs between the two kinds of column must not show.
func TestRowsLookAsInSQLite(t *testing.T) {
	ctx := context.Background()
	server := pgtest.Start(t, "timezone = 'Asia/Kathmandu'")
	server.CreateDatabase(t, "school")
	db, err := postgres.Open(ctx, options(server, "school"), nil)
	require.NoError(t, err)
	defer db.Close()
	const id = "00112233445566778899aabbccddeeff"
	moment := time.Date(2026, 1, 31, 8, 0, 0, 123456000, time.UTC)
	require.NoError(t, db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, '')", id, moment)
		return err
	}))
	require.NoError(t, db.Read(ctx, func(tx *store.Tx) error {
		var text string
		var nullable *string
		var anything any
		var at time.Time
		require.NoError(t, tx.QueryRow("SELECT id, id, id, timestamp FROM morango_nonce WHERE id = ? AND id IN ?", id, store.In([]string{id})).
			Scan(&text, &nullable, &anything, &at))
		require.Equal(t, id, text)
		require.Equal(t, id, *nullable)
		require.Equal(t, id, anything)
		require.Equal(t, moment, at)
		require.NoError(t, tx.QueryRow("SELECT x.id FROM morango_nonce n LEFT JOIN exams_exam x ON x.id = n.id").Scan(&nullable))
		require.Nil(t, nullable)
		n, err := tx.Int("SELECT COUNT(*) FROM morango_nonce WHERE id = ? OR id IN ?", "", store.In([]string{"", ""}))
		require.NoError(t, err, "a malformed id, which reading has made empty, is nobody's")
		require.Zero(t, n)
		n, err = tx.Int("SELECT COUNT(*) FROM morango_nonce WHERE id <> ? AND ip = ?", "", "")
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		return nil
	}))
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	ctx := context.Background()
	server := pgtest.Start(t)
	server.SQL(t, "postgres", "CREATE ROLE teacher LOGIN PASSWORD 'it''s \\ secret'")
	good := options(server, "postgres")
	with := func(change func(*postgres.Options)) postgres.Options {
		changed := good
		change(&changed)
		return changed
	}
	for name, test := range map[string]struct {
		options postgres.Options
		hint    string
	}{
		"no such database": {with(func(o *postgres.Options) { o.Name = "no'such\\one" }), "Create the database"},
		"no such user":     {with(func(o *postgres.Options) { o.User = "nobody here" }), "DATABASE_USER"},
		"no server":        {with(func(o *postgres.Options) { o.Port = "1" }), "DATABASE_HOST"},
		"no name":          {with(func(o *postgres.Options) { o.Name = "" }), "section Database"},
		"a wrong mode":     {with(func(o *postgres.Options) { o.SSLMode = "maybe" }), "section Database"},
		"a wrong port":     {with(func(o *postgres.Options) { o.Port = "five" }), "section Database"},
		"no certificate": {with(func(o *postgres.Options) {
			o.SSLMode, o.SSLRootCert = "verify-full", "/no such file.pem"
		}), "section Database"},
		"no TLS on the server": {with(func(o *postgres.Options) { o.SSLMode = "require" }), ""},
	} {
		test.options.Password = "it's \\ secret"
		_, err := postgres.Open(ctx, test.options, nil)
		var failed *store.OpenError
		require.True(t, errors.As(err, &failed), "%s: %v", name, err)
		require.Contains(t, failed.Hint, test.hint, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
	pool, err := postgres.OpenPool(ctx, with(func(o *postgres.Options) { o.User, o.Password = "teacher", "it's \\ secret" }))
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}
