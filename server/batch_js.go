package server

// syncBatch is how many records a synchronization handles before others get at the database, and at
// the worker, which does one thing at a time.
const syncBatch = 500
