package auth

import (
	"encoding/json"
	"fmt"
	"slices"

	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// SyncHook is what accounts need of synchronizations (kolibri/core/auth/kolibri_plugin.py).
var SyncHook = transfer.Hook{App: "auth", Behind: afterSync, Operations: []transfer.Operation{
	{Name: "SingleFacilityUserChangeClearingOperation", Stage: transfer.Serializing, Run: keepAccount},
	{Name: "PicturePasswordCollisionOperation", Stage: transfer.Deserializing, After: true, Priority: -1, Run: partPicturePasswords},
}}

// keepAccount: what a single user's device changed of the account does not travel.
func keepAccount(tx *store.Tx, e *transfer.Event) error {
	if !e.SoleUser() || !e.LocalSingleUser {
		return nil
	}
	_, err := tx.Exec("UPDATE kolibriauth_facilityuser SET _morango_dirty_bit = ? WHERE id = ? AND _morango_dirty_bit = ?", false, e.UserID, true)
	return err
}

// partPicturePasswords: two devices may have given the same picture password to two learners. Those
// who have it here get another, and the records that could not come in for it are tried again.
// kolibri/core/auth/sync_operations.py: PicturePasswordCollisionOperation
func partPicturePasswords(tx *store.Tx, e *transfer.Event) error {
	if !e.Receives() {
		return nil
	}
	var failed, taken []string
	err := store.ForEach(tx, func(row store.Scanner) error {
		var id, text string
		if err := row.Scan(&id, &text); err != nil {
			return err
		}
		var user struct {
			Pictures string `json:"picture_password"`
		}
		if json.Unmarshal([]byte(text), &user) == nil && user.Pictures != "" {
			failed, taken = append(failed, id), append(taken, user.Pictures)
		}
		return nil
	}, `SELECT id, serialized FROM morango_store WHERE last_transfer_session_id = ? AND model_name = ? AND dirty_bit = ? AND deserialization_exception = ?`,
		e.ID, morango.FacilityUser.Name, true, transfer.IntegrityError)
	if err != nil || len(failed) == 0 {
		return err
	}
	for chunk := range slices.Chunk(taken, 500) {
		users, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE dataset_id = ? AND picture_password IN ? ORDER BY id", e.DatasetID, store.In(chunk))
		if err != nil {
			return err
		}
		for _, user := range users {
			if err := morango.Update(tx, morango.FacilityUser, user, morango.Row{"picture_password": nil}); err != nil {
				return err
			}
			if err := assignUnlike(tx, e, user, chunk); err != nil {
				return err
			}
		}
	}
	_, err = transfer.Deserialize(tx, e.Filter, transfer.Options{})
	return err
}

// assignUnlike gives a learner a picture password that is none of those that are on their way.
func assignUnlike(tx *store.Tx, e *transfer.Event, user string, unlike []string) error {
	for range 8 {
		if err := AssignPicturePassword(tx, e.Random, e.DatasetID, user); err != nil {
			return err
		}
		again, err := tx.Exists("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND picture_password IN ?", user, store.In(unlike))
		if err != nil || !again {
			return err
		}
	}
	return morango.Update(tx, morango.FacilityUser, user, morango.Row{"picture_password": nil})
}

// afterSync ends the sessions of accounts that were deleted elsewhere, and gives learners who came
// picture passwords.
func afterSync(tx *store.Tx, e *transfer.Event) error {
	if !e.Receives() {
		return nil
	}
	touched, err := transfer.Touched(tx, e.ID, morango.FacilityUser.Name)
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(touched, 500) {
		there, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE id IN ? AND date_deleted IS NULL", store.In(chunk))
		if err != nil {
			return err
		}
		gone := slices.DeleteFunc(slices.Clone(chunk), func(id string) bool { return slices.Contains(there, id) })
		if len(gone) == 0 {
			continue
		}
		if err := DeleteSessions(tx, gone); err != nil {
			return err
		}
	}
	if e.LocalSingleUser {
		return nil
	}
	// the pictures of a facility without them cost no look at its learners
	learners, err := tx.Strings(`SELECT u.id FROM kolibriauth_facilitydataset d JOIN kolibriauth_facilityuser u ON u.dataset_id = d.id
		WHERE d.id = ? AND d.picture_password_settings IS NOT NULL AND d.picture_password_settings <> 'null'
		AND u.picture_password IS NULL AND u.date_deleted IS NULL AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)
		AND NOT EXISTS (SELECT 1 FROM device_devicepermissions p WHERE p.user_id = u.id AND p.is_superuser = ?) ORDER BY u.id`, e.DatasetID, true)
	if err != nil {
		return err
	}
	for _, user := range learners {
		if err := AssignPicturePassword(tx, e.Random, e.DatasetID, user); err != nil {
			return fmt.Errorf("picture password of %s: %w", user, err)
		}
	}
	return nil
}
