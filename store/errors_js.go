package store

// postgresSentinel: the tab has no PostgreSQL.
func postgresSentinel(error) error { return nil }
