package auth

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// importedUserRoutes: an account that came from another device can be taken off this one.
// kolibri/core/auth/api.py: DeleteImportedUserView
func importedUserRoutes() []api.Route {
	return []api.Route{{Name: "kolibri:core:deleteimporteduser", Method: http.MethodDelete, Handle: deleteImported}}
}

func deleteImported(r *api.Request) (any, error) {
	u, err := userOfPath(r, livingUsers, "user_id", Delete)
	if err != nil {
		return nil, err
	}
	if err := forgetUser(r.Tx, u.dataset, u.ID); err != nil {
		return nil, err
	}
	return map[string]string{"user_id": u.ID}, nil
}

// forgetUser removes an account and everything of it from this device alone, and what
// synchronization knows of it.
// kolibri/core/auth/utils/delete.py: delete_imported_user
func forgetUser(tx *store.Tx, dataset, user string) error {
	if _, err := tx.Exec("DELETE FROM device_syncqueue WHERE user_id = ?", user); err != nil {
		return err
	}
	partitions := store.In([]string{dataset + ":user-ro:" + user, dataset + ":user-rw:" + user})
	// the certificates of this one user that this device holds, with those derived from them
	const held = "top.scope_definition_id = 'single-user' AND top.scope_params LIKE ? AND c.private_key IS NOT NULL"
	if err := morango.ForgetSyncs(tx, "partition IN ?", []any{partitions}, held, []any{"%" + user + "%"}); err != nil {
		return err
	}
	return PurgeUsers(tx, morango.Forget, user)
}
