package auth

import (
	"kolibri/morango/transfer"
	"kolibri/store"
)

// ClassroomFilter is what a server adds to the filter of a single user's device: the partitions of the
// classes that the user is a member or a coach of. A device that pushes may write only its own part of
// them. kolibri/core/auth/utils/sync.py: ClassroomPartitionFilterFactory
func ClassroomFilter(tx *store.Tx, e *transfer.Event) (transfer.Filter, error) {
	var all transfer.Filter
	for _, part := range []struct{ suffix, query string }{
		{":learner-rw", `SELECT DISTINCT m.collection_id FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id
			WHERE m.dataset_id = ? AND m.user_id = ? AND c.kind = '` + KindClassroom + `' ORDER BY m.collection_id`},
		{":coach-rw", `SELECT DISTINCT collection_id FROM kolibriauth_role WHERE dataset_id = ? AND user_id = ?
			AND kind IN ('` + Coach + "', '" + Admin + `') ORDER BY collection_id`},
	} {
		ids, err := tx.Strings(part.query, e.DatasetID, e.UserID)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			partition := e.DatasetID + ":classroom:" + id
			if e.Push {
				partition += part.suffix
			}
			all = all.Add(transfer.Filter{partition})
		}
	}
	return all, nil
}
