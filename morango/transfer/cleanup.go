package transfer

import (
	"strings"

	"kolibri/store"
)

// CleanUp closes old transfer sessions and forgets their buffers, then closes the sync sessions that
// have none left. It returns how many of both were closed.
// morango/management/commands/cleanupsyncs.py
func CleanUp(tx *store.Tx, e Expiry) (transfers, syncs int64, err error) {
	where, args := []string{"active = ?"}, []any{true}
	and := func(text string, arg any) { where, args = append(where, text), append(args, arg) }
	if len(e.IDs) > 0 {
		and("id IN ?", store.In(e.IDs))
	}
	if e.ClientInstance != "" {
		and("client_instance_id = ?", e.ClientInstance)
	}
	if e.ServerInstance != "" {
		and("server_instance_id = ?", e.ServerInstance)
	}
	sessions := strings.Join(where, " AND ")
	old := "active = ? AND last_activity_timestamp < ? AND sync_session_id IN (SELECT id FROM morango_syncsession WHERE " + sessions + ")"
	oldArgs := append([]any{true, e.Before}, args...)
	if e.Filter != "" {
		old, oldArgs = old+" AND substr(filter, 1, length(CAST(? AS text))) = ?", append(oldArgs, e.Filter, e.Filter)
	}
	if e.Push != e.Pull {
		old, oldArgs = old+" AND push = ?", append(oldArgs, e.Push)
	}
	ids, err := tx.Strings("SELECT id FROM morango_transfersession WHERE "+old, oldArgs...)
	if err != nil {
		return 0, 0, err
	}
	for _, id := range ids {
		if err := DeleteBuffers(tx, id); err != nil {
			return 0, 0, err
		}
		if _, err := tx.Exec("UPDATE morango_transfersession SET active = ? WHERE id = ?", false, id); err != nil {
			return 0, 0, err
		}
	}
	syncs, err = tx.Exec("UPDATE morango_syncsession SET active = ? WHERE "+sessions+` AND last_activity_timestamp < ? AND NOT EXISTS
		(SELECT 1 FROM morango_transfersession t WHERE t.sync_session_id = morango_syncsession.id AND t.active)`,
		append(append([]any{false}, args...), e.Before)...)
	return int64(len(ids)), syncs, err
}
