package importing

import (
	"context"

	"kolibri/core/content/storage"
	"kolibri/store"
)

// ImportInSteps takes a channel in by the smallest steps, each in a transaction of its own, and stops
// after so many of them.
func ImportInSteps(ctx context.Context, db *store.DB, s *storage.Store, channel string, most int) (finished bool, err error) {
	in := &intake{untilNow: func() bool { return true }, rows: 1}
	for n := 0; n < most && err == nil && !in.finished; n++ {
		err = Open(ctx, db, s, storage.DatabaseName(channel), channel, in.step)
	}
	return in.finished, err
}
