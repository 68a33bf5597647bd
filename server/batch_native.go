//go:build !js

package server

// syncBatch is how many records a synchronization handles before others get at the database.
const syncBatch = 5000
