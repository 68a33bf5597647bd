package transfer

import (
	"errors"

	"kolibri/store"
)

var errUnfinished = errors.New("morango: not built yet")

// Deserialize brings the store's changed records in the filter into the apps' tables, those of every
// model behind those it may refer to. Call it again while More is true. What fails stays dirty, with
// the reason in its store row, and is tried again the next time.
func Deserialize(tx *store.Tx, filter Filter, o Options) (Result, error) {
	return Result{}, errUnfinished
}
