package morango

import (
	"slices"
	"strings"

	"kolibri/store"
)

// references says which columns refer to a table's rows. Deleting a row deletes the rows that refer
// to it, as the original's models cascade; a column with a ? is emptied instead.
var references = map[string][]string{
	"kolibriauth_facilitydataset": {
		"kolibriauth_facilityuser.dataset_id", "kolibriauth_collection.dataset_id", "kolibriauth_membership.dataset_id",
		"kolibriauth_role.dataset_id", "bookmarks_bookmark.dataset_id", "logger_contentsessionlog.dataset_id",
		"logger_contentsummarylog.dataset_id", "logger_usersessionlog.dataset_id", "logger_masterylog.dataset_id",
		"logger_attemptlog.dataset_id", "logger_examlog.dataset_id", "logger_examattemptlog.dataset_id",
		"exams_exam.dataset_id", "exams_examassignment.dataset_id", "exams_individualsyncableexam.dataset_id",
		"courses_coursesession.dataset_id", "courses_coursesessionassignment.dataset_id",
		"courses_unittestassignment.dataset_id", "device_learnerdevicestatus.dataset_id", "lessons_lesson.dataset_id",
		"lessons_lessonassignment.dataset_id", "lessons_individualsyncablelesson.dataset_id",
		"attendance_attendancesession.dataset_id", "attendance_attendancerecord.dataset_id",
	},
	"kolibriauth_collection": {
		"kolibriauth_facilityuser.facility_id", "kolibriauth_collection.parent_id", "kolibriauth_membership.collection_id",
		"kolibriauth_role.collection_id", "content_contentrequest.facility_id", "logger_generatecsvlogrequest.facility_id",
		"exams_draftexam.collection_id", "exams_exam.collection_id", "exams_examassignment.collection_id",
		"exams_individualsyncableexam.collection_id", "courses_coursesession.collection_id",
		"courses_coursesessionassignment.collection_id", "courses_unittestassignment.collection_id",
		"device_devicesettings.default_facility_id?", "lessons_lesson.collection_id",
		"lessons_lessonassignment.collection_id", "lessons_individualsyncablelesson.collection_id",
		"attendance_attendancesession.collection_id",
	},
	"kolibriauth_facilityuser": {
		"kolibriauth_membership.user_id", "kolibriauth_role.user_id", "bookmarks_bookmark.user_id",
		"logger_contentsessionlog.user_id", "logger_contentsummarylog.user_id", "logger_usersessionlog.user_id",
		"logger_masterylog.user_id", "logger_attemptlog.user_id", "logger_examlog.user_id", "logger_examattemptlog.user_id",
		"exams_draftexam.creator_id", "exams_exam.creator_id", "exams_examassignment.assigned_by_id",
		"exams_individualsyncableexam.user_id", "courses_coursesession.created_by_id",
		"courses_coursesessionassignment.assigned_by_id", "courses_unittestassignment.activated_by_id?",
		"device_devicepermissions.user_id", "device_usersyncstatus.user_id", "device_osuser.user_id",
		"device_learnerdevicestatus.user_id", "discovery_pinneddevice.user_id", "lessons_lesson.created_by_id",
		"lessons_lessonassignment.assigned_by_id", "lessons_individualsyncablelesson.user_id",
		"analytics_pingbacknotificationdismissed.user_id", "attendance_attendancesession.created_by_id",
		"attendance_attendancerecord.user_id", "notifications_learnerprogressnotification.user_id",
	},
	"logger_contentsummarylog":     {"logger_masterylog.summarylog_id"},
	"logger_masterylog":            {"logger_attemptlog.masterylog_id"},
	"logger_contentsessionlog":     {"logger_attemptlog.sessionlog_id"},
	"logger_examlog":               {"logger_examattemptlog.examlog_id"},
	"exams_exam":                   {"logger_examlog.exam_id", "exams_examassignment.exam_id"},
	"courses_coursesession":        {"courses_coursesessionassignment.course_session_id", "courses_unittestassignment.course_session_id"},
	"lessons_lesson":               {"lessons_lessonassignment.lesson_id"},
	"attendance_attendancesession": {"attendance_attendancerecord.attendance_session_id"},
}

// keys are the primary keys that are not called id.
var keys = map[string]string{"device_devicepermissions": "user_id", "device_osuser": "user_id"}

func keyOf(table string) string {
	if key, ok := keys[table]; ok {
		return key
	}
	return "id"
}

var syncable = func() map[string]bool {
	tables := map[string]bool{}
	for _, m := range Models {
		tables[m.Table] = true
	}
	return tables
}()

// Deletion chooses what other devices shall do about deleted records.
type Deletion int

// Delete has other devices delete the records too; HardDelete has them forget the content as well;
// Forget leaves theirs alone.
const (
	Delete Deletion = iota
	HardDelete
	Forget
)

// DeleteRows deletes rows of a table with everything that refers to them, and notes the deleted
// records for the next synchronization. Unknown ids are passed over.
func DeleteRows(tx *store.Tx, how Deletion, table string, ids ...string) error {
	doomed, order, err := collect(tx, table, ids)
	if err != nil {
		return err
	}
	for _, t := range slices.Backward(order) {
		for chunk := range slices.Chunk(doomed[t].list, 500) {
			if syncable[t] && how != Forget {
				if err := NoteDeleted(tx, how, chunk...); err != nil {
					return err
				}
			}
			if _, err := tx.Exec("DELETE FROM "+t+" WHERE "+keyOf(t)+" IN ?", store.In(chunk)); err != nil {
				return err
			}
		}
	}
	return nil
}

// rowSet is the rows of one table that are to go.
type rowSet struct {
	seen map[string]bool
	list []string
}

// collect finds the rows to delete, table by table in the order of discovery, and empties the
// columns that only refer.
func collect(tx *store.Tx, table string, ids []string) (map[string]*rowSet, []string, error) {
	type step struct {
		table string
		ids   []string
	}
	doomed, order := map[string]*rowSet{}, []string{}
	found, err := existing(tx, table, keyOf(table), ids)
	if err != nil {
		return nil, nil, err
	}
	for queue := []step{{table, found}}; len(queue) > 0; queue = queue[1:] {
		s := queue[0]
		rows := doomed[s.table]
		if rows == nil {
			rows = &rowSet{seen: map[string]bool{}}
			doomed[s.table] = rows
		}
		var fresh []string
		for _, id := range s.ids {
			if !rows.seen[id] {
				rows.seen[id] = true
				fresh = append(fresh, id)
			}
		}
		if len(fresh) == 0 {
			continue
		}
		rows.list = append(rows.list, fresh...)
		// a table found again goes to the end, so that it is emptied before what it refers to
		order = append(slices.DeleteFunc(order, func(t string) bool { return t == s.table }), s.table)
		for _, reference := range references[s.table] {
			from, column, _ := strings.Cut(reference, ".")
			if only, ok := strings.CutSuffix(column, "?"); ok {
				err = clearColumn(tx, from, only, fresh)
			} else {
				var more []string
				if more, err = existing(tx, from, column, fresh); len(more) > 0 {
					queue = append(queue, step{from, more})
				}
			}
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return doomed, order, nil
}

func existing(tx *store.Tx, table, column string, values []string) ([]string, error) {
	var all []string
	for chunk := range slices.Chunk(values, 500) {
		found, err := tx.Strings("SELECT "+keyOf(table)+" FROM "+table+" WHERE "+column+" IN ?", store.In(chunk))
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

func clearColumn(tx *store.Tx, table, column string, values []string) error {
	for chunk := range slices.Chunk(values, 500) {
		if _, err := tx.Exec("UPDATE "+table+" SET "+column+" = NULL WHERE "+column+" IN ?", store.In(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// NoteDeleted records deletions for the next synchronization
// (morango/models/core.py: DeletedModels, HardDeletedModels).
func NoteDeleted(tx *store.Tx, how Deletion, ids ...string) error {
	tables := []string{"morango_deletedmodels"}
	if how == HardDelete {
		tables = append(tables, "morango_harddeletedmodels")
	}
	args := make([]any, 0, 2*len(ids))
	for _, id := range ids {
		args = append(args, id, Profile)
	}
	for _, t := range tables {
		_, err := tx.Exec("INSERT INTO "+t+" (id, profile) VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(ids)-1)+
			" ON CONFLICT (id) DO UPDATE SET profile = excluded.profile", args...)
		if err != nil {
			return err
		}
	}
	return nil
}
