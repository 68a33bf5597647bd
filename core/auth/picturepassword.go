package auth

import (
	"crypto/rand"
	"fmt"
	"io"
	"math/big"

	"kolibri/morango"
	"kolibri/store"
)

// Picture passwords are three different pictures out of twelve, written "3.7.12".
// kolibri/core/auth/constants/picture_passwords.py
const (
	pictures = 12
	// MaxPictureLearners is how many learners a facility may have for new ones to get a picture
	// password: a little less than there are sequences.
	MaxPictureLearners = 1300
)

// LearnerCount is how many people of a dataset have no role and are no superusers.
// kolibri/core/auth/utils/picture_passwords.py: get_learner_count
func LearnerCount(tx *store.Tx, dataset string) (int64, error) {
	return tx.Int(`SELECT count(*) FROM kolibriauth_facilityuser u LEFT JOIN device_devicepermissions d ON d.user_id = u.id
		WHERE u.dataset_id = ? AND u.date_deleted IS NULL AND (d.is_superuser IS NULL OR d.is_superuser = FALSE)
		AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)`, dataset)
}

// AssignPicturePassword gives a learner a picture password that nobody else of the dataset has, if
// the dataset has picture passwords and there are any left.
// kolibri/core/auth/utils/picture_passwords.py: assign_picture_password
func AssignPicturePassword(tx *store.Tx, random io.Reader, dataset, user string) error {
	wanted, err := tx.Exists(`SELECT 1 FROM kolibriauth_facilitydataset WHERE id = ?
		AND picture_password_settings IS NOT NULL AND picture_password_settings <> 'null'`, dataset)
	if err != nil || !wanted {
		return err
	}
	if n, err := LearnerCount(tx, dataset); err != nil || n >= MaxPictureLearners {
		return err
	}
	// the column is unique in a dataset, deleted accounts included
	taken, err := tx.Strings("SELECT picture_password FROM kolibriauth_facilityuser WHERE dataset_id = ? AND picture_password IS NOT NULL", dataset)
	if err != nil {
		return err
	}
	used := make(map[string]bool, len(taken))
	for _, t := range taken {
		used[t] = true
	}
	var free []string
	for a := 1; a <= pictures; a++ {
		for b := 1; b <= pictures; b++ {
			for c := 1; c <= pictures; c++ {
				if s := fmt.Sprintf("%d.%d.%d", a, b, c); a != b && b != c && a != c && !used[s] {
					free = append(free, s)
				}
			}
		}
	}
	if len(free) == 0 {
		return nil
	}
	n, err := rand.Int(random, big.NewInt(int64(len(free))))
	if err != nil {
		return err
	}
	return morango.Update(tx, morango.FacilityUser, user, morango.Row{"picture_password": free[n.Int64()]})
}
