// Package tab is what the two homes of a database in a browser tab have in common: opening one with
// the right settings, and saving, restoring and removing it as a whole. store/opfs and store/idb
// are the homes.
package tab
