package public

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// foundUser is a learner; where a password is needed, only the name that was asked for.
type foundUser struct {
	ID       *string `json:"id"`
	Username string  `json:"username"`
}

// searchUsers finds learners of a facility by the beginning of their names where they need no
// password, and tells no more than whether a name exists where they do.
// kolibri/core/public/api.py: FacilitySearchUsernameViewSet
func searchUsers(r *api.Request) (any, error) {
	if !r.Query().Has("facility") {
		return nil, &api.Error{Status: http.StatusPreconditionFailed, Body: "Missing parameter: facility is required"}
	}
	absent := &api.Error{Status: http.StatusNotFound, Body: "The facility does not exist in this device"}
	id, ok := api.ParseUUID(r.Query().Get("facility"))
	if !ok {
		return nil, absent
	}
	var open bool
	err := r.Tx.QueryRow(`SELECT d.learner_can_login_with_no_password FROM kolibriauth_collection c
		JOIN kolibriauth_facilitydataset d ON d.id = c.dataset_id WHERE c.id = ? AND c.kind = ?`, id, auth.KindFacility).Scan(&open)
	if errors.Is(err, store.ErrNotFound) {
		return nil, absent
	}
	if err != nil {
		return nil, err
	}
	q := (&api.Query{From: "kolibriauth_facilityuser u", Order: "u.username, u.id"}).Where("u.facility_id = ? AND u.date_deleted IS NULL", id).
		Where(`NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)
			AND NOT EXISTS (SELECT 1 FROM device_devicepermissions d WHERE d.user_id = u.id AND d.is_superuser = TRUE)`)
	search := r.Query().Get("search")
	if !open {
		n, err := q.Where("lower(u.username) = lower(?)", search).Count(r.Tx)
		if err != nil || n == 0 {
			return []foundUser{}, err
		}
		return []foundUser{{nil, search}}, nil
	}
	if search != "" {
		q.Where("lower(substr(u.username, 1, length(?))) = lower(?)", search, search)
	}
	text, args := q.SQL("u.id, u.username")
	return store.Select(r.Tx, func(row store.Scanner) (u foundUser, err error) { return u, row.Scan(&u.ID, &u.Username) }, text, args...)
}
