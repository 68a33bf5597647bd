package servertest

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/store"
	"kolibri/store/postgres"
	"kolibri/store/postgres/pgtest"
)

// Postgres is a PostgreSQL server for one test.
type Postgres struct {
	server *pgtest.Server
	made   int
}

// template is the database with the schema that others are copies of, which is quicker than making it.
const template = "template_kolibri"

// StartPostgres starts a PostgreSQL server that ends with the test.
func StartPostgres(t testing.TB) *Postgres {
	t.Helper()
	p := &Postgres{server: pgtest.Start(t)}
	p.server.CreateDatabase(t, template)
	require.NoError(t, p.open(t, template).Close())
	return p
}

func (p *Postgres) open(t testing.TB, name string) *store.DB {
	t.Helper()
	db, err := postgres.Open(context.Background(), postgres.Options{Host: p.server.Host, Port: strconv.Itoa(p.server.Port), User: "postgres", Name: name}, nil)
	require.NoError(t, err)
	return db
}

// Option puts a server on a new database.
func (p *Postgres) Option(t testing.TB) func(*server.Config) {
	t.Helper()
	p.made++
	name := fmt.Sprint("kolibri", p.made)
	p.server.SQL(t, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+template)
	db := p.open(t, name)
	t.Cleanup(func() { db.Close() })
	return func(c *server.Config) { c.DB = db }
}
