package idb

import "kolibri/store/tab"

// settings: the journal stays in memory because a sync is atomic by itself. synchronous must not
// be off, or nothing would ever be kept.
const settings = `
PRAGMA locking_mode=exclusive;
PRAGMA journal_mode=memory;
PRAGMA synchronous=normal;
PRAGMA cache_size=-16000;
PRAGMA temp_store=memory;
PRAGMA foreign_keys=on;`

// shared is the one VFS of the program.
var shared = &fileSystem{open: map[string]*file{}}

// Disk is the browser's IndexedDB.
var Disk = tab.NewDisk("idb", settings, shared)
