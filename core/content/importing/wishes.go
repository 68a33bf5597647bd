package importing

import (
	"context"
	"errors"
	"math"

	"kolibri/core/device/settings"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

// The tasks that work through what learners and lessons ask for (kolibri/core/content/tasks.py).
const (
	FetchWished   = "kolibri.core.content.tasks.automatic_resource_import"
	RemoveUnasked = "kolibri.core.content.tasks.automatic_user_imported_resource_cleanup"
)

// wished is a resource that is asked for and not here yet.
type wished struct {
	id, node string
	source   *string // the instance that likely has it
	channel  *string // nil while its metadata is not here
	size     int64   // of the files that lack
	here     bool
}

// runWishes fetches what is asked for, the most urgent first, as far as there is room, and then
// removes what nobody wants any more.
// kolibri/core/content/utils/content_request.py: process_content_requests
func (i *Importer) runWishes(ctx context.Context, t *tasks.Task) (any, error) {
	tried := []string{}
	for {
		if err := t.Check(); err != nil {
			return nil, err
		}
		next, room, enabled, err := i.nextWish(ctx, tried)
		if err != nil || !enabled {
			return nil, err
		}
		if next == nil {
			break
		}
		tried = append(tried, next.id)
		if next.channel != nil && next.size > room {
			i.host.Log.Warn("there is no room for a resource that is asked for", "node", next.node, "bytes", next.size, "free", room)
			continue
		}
		status := "COMPLETED"
		if !next.here {
			if err := i.fulfil(ctx, t, next); err != nil {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				i.host.Log.Warn("a resource that is asked for could not be fetched", "node", next.node, "error", err)
				status = "FAILED"
			}
		}
		if err := i.setStatus(ctx, status, []string{next.id}); err != nil {
			return nil, err
		}
	}
	return i.runRemovals(ctx, t)
}

// nextWish is the most urgent wish that was not tried yet, and how many bytes may be fetched.
func (i *Importer) nextWish(ctx context.Context, tried []string) (w *wished, room int64, enabled bool, err error) {
	free, err := i.host.Device.FreeSpace(ctx)
	if err != nil {
		free = math.MaxInt64
	}
	err = i.host.DB.Read(ctx, func(tx *store.Tx) error {
		s, err := settings.Get(tx)
		if err != nil || !s.AutomaticDownload() {
			return err
		}
		enabled, room = true, free
		if s.DownloadLimited() {
			used, err := tx.Int(`SELECT coalesce(sum(l.file_size), 0) FROM content_localfile l WHERE l.available = TRUE AND l.id IN (SELECT f.local_file_id FROM content_file f
				WHERE f.contentnode_id IN (SELECT q.contentnode_id FROM content_contentrequest q WHERE q.type = 'DOWNLOAD' AND q.status = 'COMPLETED'))`)
			if err != nil {
				return err
			}
			room = min(room, s.LimitForAutodownload()-used)
		}
		query := `SELECT q.id, q.contentnode_id, q.source_instance_id, n.channel_id, coalesce(n.available, FALSE),
				coalesce((SELECT sum(l.file_size) FROM content_file f JOIN content_localfile l ON l.id = f.local_file_id WHERE f.contentnode_id = n.id AND l.available = FALSE), 0)
			FROM content_contentrequest q LEFT JOIN content_contentnode n ON n.id = q.contentnode_id
			WHERE q.type = 'DOWNLOAD' AND q.status IN ('PENDING', 'FAILED') AND NOT q.id IN ?`
		args := []any{store.In(tried)}
		if !s.LearnerDownloads() {
			query += ` AND NOT (q.source_model = ? AND EXISTS (SELECT 1 FROM kolibriauth_facilityuser u WHERE u.id = q.source_id
				AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)))`
			args = append(args, morango.FacilityUser.Name)
		}
		found, err := store.Select(tx, func(row store.Scanner) (*wished, error) {
			w := &wished{}
			return w, row.Scan(&w.id, &w.node, &w.source, &w.channel, &w.here, &w.size)
		}, query+" ORDER BY coalesce(q.priority, 20), q.requested_at, q.id LIMIT 1", args...)
		if len(found) > 0 {
			w = found[0]
		}
		return err
	})
	return w, room, enabled, err
}

// fulfil fetches a resource from the first device that has it.
func (i *Importer) fulfil(ctx context.Context, t *tasks.Task, w *wished) error {
	peers, err := i.peersFor(ctx, w)
	if err != nil {
		return err
	}
	failure := error(tasks.Fail("NoPeerAvailable", "no other device is known that could have it"))
	for _, p := range peers {
		channel := ""
		if w.channel != nil {
			channel = *w.channel
		} else if channel, err = i.takeNode(ctx, p.BaseURL, w.node); err != nil {
			failure = err
			continue
		}
		if failure = i.oneResource(ctx, quiet{t}, channel, w.node, p.BaseURL, false); failure == nil {
			return nil
		}
		if ctx.Err() != nil {
			return failure
		}
	}
	return failure
}

// quiet lets a part of a job's work go without telling of its own progress.
type quiet struct{ *tasks.Task }

// Progress implements Worker.
func (q quiet) Progress(float64, float64, map[string]any) error { return q.Check() }

// Metadata implements Worker.
func (quiet) Metadata(map[string]any) error { return nil }

// peersFor lists the devices to ask: the one that likely has the resource, then those that answered
// lately and hold more than some learners' part.
// kolibri/core/content/utils/content_request.py: PreferredDevices
func (i *Importer) peersFor(ctx context.Context, w *wished) (peers []*network.Location, err error) {
	source := ""
	if w.source != nil {
		source = *w.source
	}
	err = i.host.DB.Read(ctx, func(tx *store.Tx) error {
		peers, err = store.Select(tx, network.ScanLocation, "SELECT "+network.Columns+` FROM discovery_networklocation
			WHERE (connection_status = ? OR location_type = ?) AND (instance_id = ? OR subset_of_users_device = FALSE AND application = 'kolibri')
			ORDER BY CASE WHEN instance_id = ? THEN 0 ELSE 1 END, CASE WHEN is_local = TRUE THEN 0 ELSE 1 END, added`, network.StatusOkay, network.Reserved, source, source)
		return err
	})
	return peers, err
}

func (i *Importer) setStatus(ctx context.Context, status string, ids []string) error {
	return i.host.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE content_contentrequest SET status = ? WHERE id IN ?", status, store.In(ids))
		return err
	})
}

// runRemovals removes what learners no longer want, unless somebody else does or an administrator
// imported it.
// kolibri/core/content/utils/content_request.py: process_content_removal_requests
func (i *Importer) runRemovals(ctx context.Context, t *tasks.Task) (any, error) {
	type removal struct{ id, node, channel string }
	var all []removal
	var gone []string
	err := t.Read(func(tx *store.Tx) error {
		return store.ForEach(tx, func(row store.Scanner) error {
			var r removal
			var channel *string
			if err := row.Scan(&r.id, &r.node, &channel); err != nil {
				return err
			}
			if channel == nil {
				gone = append(gone, r.id)
				return nil
			}
			r.channel = *channel
			all = append(all, r)
			return nil
		}, `SELECT q.id, q.contentnode_id, n.channel_id FROM content_contentrequest q LEFT JOIN content_contentnode n ON n.id = q.contentnode_id AND n.available = TRUE
			WHERE q.type = 'REMOVAL' AND q.status IN ('PENDING', 'FAILED') AND NOT coalesce(n.admin_imported, FALSE)
			AND NOT EXISTS (SELECT 1 FROM content_contentrequest d WHERE d.type = 'DOWNLOAD' AND d.contentnode_id = q.contentnode_id
				AND NOT (d.source_model = q.source_model AND d.source_id = q.source_id))
			ORDER BY q.requested_at, q.id`)
	})
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		err := i.Delete(ctx, quiet{t}, r.channel, Selection{Nodes: &[]string{r.node}}, false)
		var known *tasks.Failure
		if err != nil && !errors.As(err, &known) { // the channel may have gone with another resource
			return nil, err
		}
		gone = append(gone, r.id)
	}
	return nil, i.setStatus(ctx, "COMPLETED", gone)
}

// backfill gives requests of older versions the usual priority.
func backfill(_ context.Context, t *tasks.Task) (any, error) {
	return nil, t.Write(func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE content_contentrequest SET priority = 20 WHERE priority IS NULL")
		return err
	})
}
