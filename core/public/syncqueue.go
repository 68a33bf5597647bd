package public

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/core/device/soud"
)

// queuePlace tells a single user's device whether it may synchronize, or when to ask again.
type queuePlace struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	KeepAlive api.Float `json:"keep_alive"`
}

// enterQueue puts a single user's device into the queue. kolibri/core/public/api.py: SyncQueueAPIView
func (p *Public) enterQueue(r *api.Request) (any, error) {
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	if s.SubsetOfUsersDevice {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: []string{"I'm a Subset of users device. Nothing to do here"}}
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	v, err := r.Clean(body, []api.Field{{Name: "user", Clean: api.CleanUUID}, {Name: "instance", Clean: api.CleanUUID}}, false)
	if err != nil {
		return nil, err
	}
	user := v.String("user")
	// one who was deleted here shall hear of it
	known, err := r.Tx.Exists(`SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? UNION ALL SELECT 1 FROM morango_deletedmodels WHERE id = ?
		UNION ALL SELECT 1 FROM morango_harddeletedmodels WHERE id = ?
		UNION ALL SELECT 1 FROM morango_store WHERE id = ? AND (deleted = TRUE OR hard_deleted = TRUE)`, user, user, user, user)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, r.NotFound()
	}
	place, err := soud.Enter(r.Tx, p.host.Rand, user, v.String("instance"))
	if err != nil {
		return nil, err
	}
	return queuePlace{place.ID, place.Status, api.Float(place.KeepAlive)}, nil
}
