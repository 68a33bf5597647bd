package morango

import "kolibri/store"

// ForgetSyncs removes from this device what synchronization knows of records and the certificates to
// them; other devices hear nothing of it. partitions is a condition on the column partition,
// certificates one on each certificate, named c, and those above it up to itself, named top.
// kolibri/core/auth/utils/delete.py: _get_morango_models
func ForgetSyncs(tx *store.Tx, partitions string, partitionArgs []any, certificates string, certificateArgs []any) error {
	stored := "(SELECT id FROM morango_store WHERE " + partitions + ")"
	tree := `(SELECT c.id FROM morango_certificate c JOIN morango_certificate top
		ON c.tree_id = top.tree_id AND c.lft >= top.lft AND c.rght <= top.rght WHERE ` + certificates + ")"
	sessions := "(SELECT id FROM morango_syncsession WHERE client_certificate_id IN " + tree + " OR server_certificate_id IN " + tree + ")"
	transfers := "(SELECT id FROM morango_transfersession WHERE sync_session_id IN " + sessions + ")"
	both := append(append([]any{}, certificateArgs...), certificateArgs...)
	for _, step := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM morango_databasemaxcounter WHERE " + partitions, partitionArgs},
		{"DELETE FROM morango_recordmaxcounter WHERE store_model_id IN " + stored, partitionArgs},
		{"DELETE FROM morango_deletedmodels WHERE id IN " + stored, partitionArgs},
		{"DELETE FROM morango_harddeletedmodels WHERE id IN " + stored, partitionArgs},
		{"DELETE FROM morango_store WHERE " + partitions, partitionArgs},
		{"DELETE FROM morango_recordmaxcounterbuffer WHERE transfer_session_id IN " + transfers, both},
		{"DELETE FROM morango_buffer WHERE transfer_session_id IN " + transfers, both},
		{"DELETE FROM morango_transfersession WHERE sync_session_id IN " + sessions, both},
		{"UPDATE device_usersyncstatus SET sync_session_id = NULL WHERE sync_session_id IN " + sessions, both},
		{"DELETE FROM morango_syncsession WHERE id IN " + sessions, both},
		{"DELETE FROM morango_certificate WHERE id IN " + tree, certificateArgs},
	} {
		if _, err := tx.Exec(step.text, step.args...); err != nil {
			return err
		}
	}
	return nil
}
