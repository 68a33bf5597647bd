// Package idb keeps SQLite databases in IndexedDB, for browsers and windows that have no private
// file system with synchronous handles.
//
// It is a SQLite VFS that cuts files into blocks. Everything SQLite wrote since the last sync goes
// into one IndexedDB transaction, so that IndexedDB's atomicity takes the place of a journal.
//
// README.md tells where the VFS differs from an ordinary one.
package idb
