package device

import (
	"database/sql"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// syncStatus is how far the synchronization of one learner's data with his own device is.
// kolibri/core/device/api.py: UserSyncStatusViewSet
type syncStatus struct {
	Status            string   `json:"status"`
	LastSynced        api.Time `json:"last_synced"`
	DeviceStatus      *string  `json:"device_status"`
	DeviceSentiment   *int64   `json:"device_status_sentiment"`
	User              string   `json:"user"`
	HasDownloads      bool     `json:"has_downloads"`
	DownloadRemoved   api.Time `json:"last_download_removed"`
	DownloadsProgress bool     `json:"sync_downloads_in_progress"`
}

// recently is how long a synchronization counts as recent (DELAYED_SYNC).
const recently = 900 * time.Second

// syncStatuses are the permissions of UserSyncStatus: one's own, and coaches' for their learners.
var syncStatuses = &auth.Model{Name: "UserSyncStatus", Rules: []auth.Rule{
	auth.IsOwn{May: auth.Read},
	auth.ByRole{Over: auth.OverUser, Read: []string{auth.Admin, auth.Coach}, Within: auth.WithinUser,
		Dataset: "this.user_id IN (SELECT id FROM kolibriauth_facilityuser WHERE dataset_id = ?)"},
}}

// A download counts as long as nothing that came after it asked for its removal.
const download = `SELECT 1 FROM content_contentrequest c WHERE c.type = 'DOWNLOAD' AND c.source_model = 'facilityuser' AND c.source_id = s.user_id
	AND NOT EXISTS (SELECT 1 FROM content_contentrequest x WHERE x.type = 'REMOVAL' AND x.source_model = c.source_model AND x.source_id = c.source_id
		AND x.contentnode_id = c.contentnode_id AND x.requested_at >= c.requested_at AND x.reason = c.reason AND x.status <> 'FAILED')`

const syncColumns = `s.user_id, s.status, ss.last_activity_timestamp,
	(SELECT t.transfer_stage_status FROM morango_transfersession t WHERE t.sync_session_id = s.sync_session_id AND t.active = TRUE
		ORDER BY t.last_activity_timestamp DESC LIMIT 1),
	l.status, l.status_sentiment,
	EXISTS (` + download + ` AND c.reason = 'USER_INITIATED'),
	(SELECT max(m.requested_at) FROM content_contentrequest m WHERE m.type = 'REMOVAL' AND m.source_model = 'facilityuser'
		AND m.source_id = s.user_id AND m.reason = 'SYNC_INITIATED'),
	EXISTS (` + download + ` AND c.reason = 'SYNC_INITIATED' AND c.status NOT IN ('FAILED', 'COMPLETED'))`

const syncTables = `device_usersyncstatus s LEFT JOIN morango_syncsession ss ON ss.id = s.sync_session_id
	LEFT JOIN device_learnerdevicestatus l ON l.user_id = s.user_id AND l.instance_id = ss.client_instance_id`

func (d *Device) listSyncStatus(r *api.Request) (any, error) {
	q, err := d.syncQuery(r)
	if err != nil {
		return nil, err
	}
	for name, find := range map[string]string{
		"user":      "SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL",
		"member_of": "SELECT 1 FROM kolibriauth_collection WHERE id = ?",
	} {
		id, err := choice(r, name, find)
		if err != nil {
			return nil, err
		}
		switch {
		case id == "":
		case name == "user":
			q.Where("s.user_id = ?", id)
		default:
			q.Where(`s.user_id IN (SELECT m.user_id FROM kolibriauth_membership m WHERE m.collection_id = ?)
				OR s.user_id IN (SELECT u.id FROM kolibriauth_facilityuser u WHERE u.facility_id = ?)`, id, id)
		}
	}
	return api.List(r, q, syncColumns, 0, d.scanSyncStatus(r.Now()))
}

func (d *Device) showSyncStatus(r *api.Request) (any, error) {
	q, err := d.syncQuery(r)
	if err != nil {
		return nil, err
	}
	q.Where("CAST(s.id AS text) = ?", r.Param("pk"))
	text, args := q.SQL(syncColumns)
	found, err := store.Select(r.Tx, d.scanSyncStatus(r.Now()), text, args...)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, r.NotFound()
	}
	return found[0], nil
}

// syncQuery is narrowed to what the person may read. A learner's own device has nothing to tell
// while it knows of no device to synchronize with.
func (d *Device) syncQuery(r *api.Request) (*api.Query, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	q := &api.Query{From: syncTables, Order: "s.id"}
	if err := auth.OnlyReadable(r, q, syncStatuses, "s"); err != nil {
		return nil, err
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	if s.SubsetOfUsersDevice {
		q.Where("EXISTS (SELECT 1 FROM discovery_networklocation n WHERE n.subset_of_users_device = FALSE)")
	}
	return q, nil
}

// choice reads a filter that names a row; one that does not exist is a 400.
func choice(r *api.Request, name, find string) (string, error) {
	given := r.Query().Get(name)
	if given == "" {
		return "", nil
	}
	id, ok := api.ParseUUID(given)
	if ok {
		var err error
		if ok, err = r.Tx.Exists(find, id); err != nil {
			return "", err
		}
	}
	if !ok {
		return "", api.FieldError(api.InvalidChoice, name, "Select a valid choice. That choice is not one of the available choices.")
	}
	return id, nil
}

func (d *Device) scanSyncStatus(now time.Time) func(store.Scanner) (syncStatus, error) {
	return func(row store.Scanner) (s syncStatus, err error) {
		var queue string
		var transfer sql.NullString
		var removed store.Zoned
		err = row.Scan(&s.User, &queue, &s.LastSynced, &transfer, &s.DeviceStatus, &s.DeviceSentiment, &s.HasDownloads, &removed, &s.DownloadsProgress)
		s.DownloadRemoved = api.Time(removed.Time())
		s.Status = s.summary(queue, transfer.String, now)
		return s, err
	}
}

// summary is the one word that the front end shows. kolibri/core/device/api.py: map_status
func (s *syncStatus) summary(queue, transfer string, now time.Time) string {
	last := time.Time(s.LastSynced)
	switch {
	case transfer == "pending" || transfer == "started":
		return "SYNCING"
	case transfer == "errored":
		return "UNABLE_TO_SYNC"
	case !last.IsZero() && now.Sub(last) < recently:
		if s.DeviceStatus != nil && *s.DeviceStatus == "InsufficientStorage" {
			return "INSUFFICIENT_STORAGE"
		}
		if s.DeviceStatus != nil && s.DeviceSentiment != nil && *s.DeviceSentiment < 0 {
			return "UNABLE_TO_SYNC"
		}
		return "RECENTLY_SYNCED"
	case queue == "QUEUED":
		return "QUEUED"
	}
	return "NOT_RECENTLY_SYNCED"
}
