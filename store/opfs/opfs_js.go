package opfs

import "kolibri/store/tab"

// settings run on the connection in this order: exclusive locking must come before anything that
// touches the file, because only then does the write-ahead log work without shared memory.
// docs/storage.md has the measurements behind the values.
const settings = `
PRAGMA locking_mode=exclusive;
PRAGMA journal_mode=wal;
PRAGMA synchronous=normal;
PRAGMA cache_size=-16000;
PRAGMA temp_store=memory;
PRAGMA foreign_keys=on;`

// shared is the one VFS of the program: the browser has one private file system per origin.
var shared = &fileSystem{directories: map[string]map[string]bool{}, open: map[string]*file{}, opening: map[string]chan struct{}{}}

// Disk is the browser's private file system.
var Disk = tab.NewDisk("opfs", settings, shared)
