package attendance

import (
	"slices"
	"sort"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// Record tells whether one learner was there.
type Record struct {
	ID       string `json:"id"`
	User     string `json:"user"`
	Present  bool   `json:"present"`
	Session  string `json:"attendance_session"`
	Name     string `json:"user_name"`
	Username string `json:"user_username"`
}

func recordQuery() *api.Query {
	return &api.Query{From: "attendance_attendancerecord a JOIN kolibriauth_facilityuser u ON u.id = a.user_id", Order: "a.id"}
}

const recordColumns = "a.id, a.user_id, a.present, a.attendance_session_id, u.full_name, u.username"

func scanRecord(row store.Scanner) (*Record, error) {
	v := &Record{}
	return v, row.Scan(&v.ID, &v.User, &v.Present, &v.Session, &v.Name, &v.Username)
}

func findRecords(r *api.Request, q *api.Query) ([]*Record, error) {
	text, args := q.SQL(recordColumns)
	return store.Select(r.Tx, scanRecord, text, args...)
}

func (a *Attendance) records(r *api.Request) (any, error) {
	q := recordQuery()
	session, err := r.UUIDParam("attendance_session")
	if err != nil {
		return nil, err
	}
	if session != "" {
		q.Where("a.attendance_session_id = ?", session)
	}
	if err := auth.OnlyReadable(r, q, Records, "a"); err != nil {
		return nil, err
	}
	return findRecords(r, q)
}

func (a *Attendance) record(r *api.Request) (any, error) {
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	q := recordQuery().Where("a.id = ?", id)
	if err := auth.OnlyReadable(r, q, Records, "a"); err != nil {
		return nil, err
	}
	all, err := findRecords(r, q)
	if err == nil && len(all) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// people finds out which of the users of a body's records there are, all at once.
func people(tx *store.Tx, records any) (map[string]bool, error) {
	var ids []string
	list, _ := records.([]any)
	for _, v := range list {
		record, _ := v.(map[string]any)
		text, _ := record["user"].(string)
		if id, ok := api.ParseUUID(text); ok {
			ids = append(ids, id)
		}
	}
	there := map[string]bool{}
	for chunk := range slices.Chunk(ids, 500) {
		found, err := tx.Strings("SELECT id FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN ?", store.In(chunk))
		if err != nil {
			return nil, err
		}
		for _, id := range found {
			there[id] = true
		}
	}
	return there, nil
}

// cleanPerson accepts the id of a user who is there.
func cleanPerson(there map[string]bool) func(*api.Request, any) (any, string, string) {
	return func(r *api.Request, v any) (any, string, string) {
		text, _ := v.(string)
		id, valid := api.ParseUUID(text)
		switch {
		case valid && there[id]:
			return id, "", ""
		case valid:
			return nil, api.DoesNotExist, `Invalid pk "` + text + `" - object does not exist.`
		}
		return api.CleanKey("")(r, v) // which refuses what is no id without asking the database
	}
}

// mark takes who was there at a session, learner by learner, and answers with their records.
func (a *Attendance) mark(r *api.Request) (any, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, []api.Field{
		{Name: "attendance_session", Clean: api.CleanKey("SELECT 1 FROM attendance_attendancesession WHERE id = ?")},
		{Name: "records", Rows: []api.Field{
			{Name: "user", Clean: api.CleanString(0, false)},
			{Name: "present", Clean: api.CleanBool},
		}},
	}, false)
	if err != nil {
		return nil, err
	}
	marks := marks(values["records"])
	there, err := people(r.Tx, body["records"])
	if err != nil {
		return nil, err
	}
	var users, missing []string
	for _, m := range marks {
		if users = append(users, m.user); !there[m.user] {
			missing = append(missing, m.user)
		}
	}
	if len(missing) > 0 {
		sort.Strings(missing)
		return nil, api.FieldError(api.Invalid, "records", "Invalid user IDs: "+strings.Join(missing, ", "))
	}
	session, err := one(r, query(), values.String("attendance_session"))
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Update, Sessions, auth.Object{CollectionID: session.Collection}); err != nil {
		return nil, err
	}
	if err := a.note(r.Tx, session.ID, session.dataset, marks); err != nil {
		return nil, err
	}
	all := []*Record{}
	for chunk := range slices.Chunk(users, 500) {
		some, err := findRecords(r, recordQuery().Where("a.attendance_session_id = ? AND a.user_id IN ?", session.ID, store.In(chunk)))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// note writes marks into the records of a session: learners without a record get one.
func (a *Attendance) note(tx *store.Tx, session, dataset string, marks []mark) error {
	rows, users := make([]morango.Row, len(marks)), map[bool][]string{}
	for i, m := range marks {
		rows[i] = morango.Row{"attendance_session_id": session, "user_id": m.user, "present": m.present, "dataset_id": dataset}
		users[m.present] = append(users[m.present], m.user)
	}
	if _, err := morango.InsertNew(tx, a.host.Rand, morango.AttendanceRecord, rows...); err != nil {
		return err
	}
	for present, ids := range users {
		for chunk := range slices.Chunk(ids, 500) {
			if _, err := morango.UpdateWhere(tx, morango.AttendanceRecord, morango.Row{"present": present},
				"attendance_session_id = ? AND user_id IN ? AND present <> ?", session, store.In(chunk), present); err != nil {
				return err
			}
		}
	}
	return nil
}
