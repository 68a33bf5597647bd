//go:build !js

package schema

import _ "embed"

// Postgres is the DDL for PostgreSQL, where the original keeps all tables in one database.
//
//go:embed postgres.sql
var Postgres string
