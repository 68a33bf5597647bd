package device

import (
	"strings"

	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// StatusHook deletes, before a device older than 0.16.2 is sent learners' device statuses, those that
// it would take for duplicates: it expects one of each learner.
// kolibri/core/device/kolibri_plugin.py: LearnerDeviceStatusOperation
var StatusHook = transfer.Hook{App: "device", Operations: []transfer.Operation{
	{Name: "LearnerDeviceStatusOperation", Stage: transfer.Initializing, Run: func(tx *store.Tx, e *transfer.Event) error {
		if e.Receives() || !before(e.RemoteVersion, 0, 16, 2) {
			return nil
		}
		surplus, args := `SELECT s.id FROM device_learnerdevicestatus s WHERE s.dataset_id = ? AND EXISTS (SELECT 1 FROM device_learnerdevicestatus n
			WHERE n.user_id = s.user_id AND (n.updated_at > s.updated_at OR n.updated_at = s.updated_at AND n.id > s.id))`, []any{e.DatasetID}
		if e.UserID != "" {
			surplus, args = "SELECT id FROM device_learnerdevicestatus WHERE user_id = ? AND instance_id <> ?", []any{e.UserID, e.ClientInstanceID}
		}
		ids, err := tx.Strings(surplus, args...)
		if err != nil {
			return err
		}
		return morango.DeleteRows(tx, morango.Delete, morango.LearnerDeviceStatus.Table, ids...)
	}},
}}

// before tells whether a version such as "0.15.3b1" is lower than another; an unknown one is, for old
// devices do not tell theirs.
func before(version string, than ...int) bool {
	parts := strings.SplitN(version, ".", 4)
	for i, limit := range than {
		n := 0
		if i < len(parts) {
			for _, c := range parts[i] {
				if c < '0' || c > '9' {
					break
				}
				n = n*10 + int(c-'0')
			}
		}
		if n != limit {
			return n < limit
		}
	}
	return false
}
