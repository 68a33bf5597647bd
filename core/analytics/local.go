package analytics

import (
	"strconv"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// localNotification is something that the server tells a superuser.
// kolibri/core/analytics/serializers.py: LocalNotificationSerializer
type localNotification struct {
	ID           int64    `json:"id"`
	Key          string   `json:"key"`
	CreatedAt    api.Time `json:"created_at"`
	FacilityName string   `json:"facility_name"`
	LearnerCount int64    `json:"learner_count"`
}

// Learners of a facility are those who have no role and are no superuser
// (kolibri/core/auth/utils/picture_passwords.py: get_learner_count).
const learners = `SELECT count(*) FROM kolibriauth_facilityuser u WHERE u.dataset_id = ? AND u.date_deleted IS NULL
	AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM device_devicepermissions d WHERE d.user_id = u.id AND d.is_superuser = TRUE)`

func (a *Analytics) listLocal(r *api.Request) (any, error) {
	who, err := auth.RequireSuperuser(r)
	if err != nil {
		return nil, err
	}
	all, err := store.Select(r.Tx, func(row store.Scanner) (n localNotification, err error) {
		return n, row.Scan(&n.ID, &n.Key, &n.CreatedAt)
	}, "SELECT id, key, created_at FROM analytics_localnotification ORDER BY created_at DESC, id")
	if err != nil || len(all) == 0 {
		return all, err
	}
	facility, err := auth.LoadCollection(r.Tx, who.FacilityID)
	if err != nil {
		return nil, err
	}
	count, err := r.Tx.Int(learners, who.DatasetID)
	for i := range all {
		all[i].FacilityName, all[i].LearnerCount = facility.Name, count
	}
	return all, err
}

func (a *Analytics) dropLocal(r *api.Request) (any, error) {
	if _, err := auth.RequireSuperuser(r); err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.Param("pk"), 10, 64)
	if err != nil {
		return nil, r.NotFound()
	}
	n, err := r.Tx.Exec("DELETE FROM analytics_localnotification WHERE id = ?", id)
	if err == nil && n == 0 {
		err = r.NotFound()
	}
	return api.NoContent(), err
}

// The invitation to tell one's story (kolibri/core/analytics/local_notifications.py).
const (
	impactStories = "impact-stories"
	window        = 90 * 24 * time.Hour
	threshold     = 100
)

// inviteImpactStories makes the notification for superusers of a device that is used much and whose
// facilities nobody registered. It tells whether it did.
func inviteImpactStories(tx *store.Tx) (bool, error) {
	silent, err := tx.Exists(`SELECT 1 FROM analytics_localnotification WHERE key = ?
		UNION ALL SELECT 1 FROM kolibriauth_facilitydataset WHERE registered = TRUE`, impactStories)
	if err != nil || silent {
		return false, err
	}
	n, err := tx.Int("SELECT count(*) FROM (SELECT 1 FROM logger_contentsessionlog WHERE start_timestamp >= ? LIMIT ?) recent",
		store.Zoned(tx.Now().Add(-window)), threshold)
	if err != nil || n < threshold {
		return false, err
	}
	_, err = tx.Exec("INSERT INTO analytics_localnotification (key, created_at) VALUES (?, ?)", impactStories, tx.Now())
	return err == nil, err
}
