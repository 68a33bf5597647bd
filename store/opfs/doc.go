// Package opfs keeps SQLite databases in the browser's origin private file system.
//
// It is a SQLite VFS over synchronous access handles, which exist in dedicated workers only. The
// handles live in JavaScript (opfs.js beside this file, installed before the program starts); Go
// reaches them by wasm imports that read and write its own memory, without a copy.
//
// README.md tells where the VFS differs from an ordinary one.
package opfs
