package auth

import (
	"context"
	"fmt"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// ResetPassword gives a new password to the person of this name in a facility, for those who administer the
// machine and whose word is enough. Whoever is signed in as that person is signed out.
// django/contrib/auth/management/commands/changepassword.py
func ResetPassword(ctx context.Context, h *api.Host, facility *Collection, username, password string) error {
	hash, err := HashPassword(ctx, h.Hasher, h.Rand, password)
	if err != nil {
		return err
	}
	return h.DB.Write(ctx, func(tx *store.Tx) error {
		same, err := named(tx, username, inFacility, facility.ID)
		if err != nil {
			return err
		}
		if len(same) == 0 {
			return fmt.Errorf("there is nobody with the username %q in %q", username, facility.Name)
		}
		id := same[0].ID
		if _, err = morango.UpdateWhere(tx, morango.FacilityUser, morango.Row{"password": hash}, "id = ?", id); err != nil {
			return err
		}
		return DeleteSessions(tx, []string{id})
	})
}
