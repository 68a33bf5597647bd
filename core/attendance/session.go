package attendance

import (
	"net/http"
	"strconv"
	"time"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// Session is one meeting of a class: how many were to come, and how many did.
type Session struct {
	ID           string   `json:"id"`
	Collection   string   `json:"collection"`
	CreatedBy    *string  `json:"created_by"`
	Start        api.Time `json:"session_start_datetime"`
	DateCreated  api.Time `json:"date_created"`
	DateModified api.Time `json:"date_modified"`
	Present      int64    `json:"present_count"`
	Total        int64    `json:"total_count"`

	dataset string
}

const columns = `s.id, s.collection_id, s.created_by_id, s.session_start_datetime, s.date_created, s.date_modified, s.dataset_id,
	(SELECT count(*) FROM attendance_attendancerecord a WHERE a.attendance_session_id = s.id AND a.present = TRUE),
	(SELECT count(*) FROM attendance_attendancerecord a WHERE a.attendance_session_id = s.id)`

func scan(row store.Scanner) (*Session, error) {
	v := &Session{}
	var start, created, modified store.Zoned
	err := row.Scan(&v.ID, &v.Collection, &v.CreatedBy, &start, &created, &modified, &v.dataset, &v.Present, &v.Total)
	v.Start, v.DateCreated, v.DateModified = api.Time(start.Time()), api.Time(created.Time()), api.Time(modified.Time())
	return v, err
}

func query() *api.Query {
	return &api.Query{From: "attendance_attendancesession s", Order: "s.session_start_datetime DESC, s.id"}
}

// readable is the query for the sessions that the person may read and the parameters ask for.
func readable(r *api.Request) (*api.Query, error) {
	q := query()
	if err := auth.CollectionParam(r, q, "s.collection_id"); err != nil {
		return nil, err
	}
	for name, condition := range map[string]string{"start_date": "s.session_start_datetime >= ?", "end_date": "s.session_start_datetime < ?"} {
		given := r.Query().Get(name)
		if given == "" {
			continue
		}
		v, id, _ := api.CleanTime(r, given)
		if id != "" {
			return nil, api.FieldError(api.Invalid, name, "Enter a valid date/time.")
		}
		at, _ := v.(time.Time)
		q.Where(condition, store.Zoned(at))
	}
	return q, auth.OnlyReadable(r, q, Sessions, "s")
}

func (a *Attendance) list(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return api.List(r, q, columns, r.PageSize(0, 0), scan)
}

// recent answers with the latest sessions: five, or as many as the parameter limit says, up to 50.
func (a *Attendance) recent(r *api.Request) (any, error) {
	limit, err := strconv.Atoi(r.Query().Get("limit"))
	if err != nil {
		limit = 5
	}
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	text, args := q.SQL(columns)
	return store.Select(r.Tx, scan, text+" LIMIT ?", append(args, max(1, min(limit, 50)))...)
}

func (a *Attendance) retrieve(r *api.Request) (any, error) {
	q, err := readable(r)
	if err != nil {
		return nil, err
	}
	return one(r, q, r.Param("pk"))
}

func one(r *api.Request, q *api.Query, id string) (*Session, error) {
	return api.One(r, id, func(id string) ([]*Session, error) {
		text, args := q.Where("s.id = ?", id).SQL(columns)
		return store.Select(r.Tx, scan, text, args...)
	})
}

// load reads the session of the address and checks the permission.
func load(r *api.Request, do auth.Action) (*Session, error) {
	v, err := one(r, query(), r.Param("pk"))
	if err != nil {
		return nil, err
	}
	return v, auth.Require(r, do, Sessions, auth.Object{CollectionID: v.Collection})
}

// mark is what a body says of one learner.
type mark struct {
	user    string
	present bool
}

// read cleans a body. kolibri/core/attendance/serializers.py: AttendanceSessionSerializer
func read(r *api.Request) (api.Values, []mark, error) {
	body, err := r.Object()
	if err != nil {
		return nil, nil, err
	}
	there, err := people(r.Tx, body["attendance_records"])
	if err != nil {
		return nil, nil, err
	}
	values, err := r.Clean(body, []api.Field{
		{Name: "collection", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ?")},
		{Name: "session_start_datetime", Optional: true, Clean: api.CleanTime},
		{Name: "attendance_records", Optional: true, Rows: []api.Field{
			{Name: "user", Clean: cleanPerson(there)},
			{Name: "present", Optional: true, Default: false, Clean: api.CleanBool},
		}},
	}, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, nil, err
	}
	return values, marks(values["attendance_records"]), nil
}

// marks are cleaned records, each learner once: what is said last holds.
func marks(cleaned any) []mark {
	list, _ := cleaned.([]any)
	index, all := map[string]int{}, []mark{}
	for _, v := range list {
		values, _ := v.(api.Values)
		m := mark{values.String("user"), values.Bool("present")}
		if i, known := index[m.user]; known {
			all[i] = m
			continue
		}
		index[m.user], all = len(all), append(all, m)
	}
	return all
}

func (a *Attendance) create(r *api.Request) (any, error) {
	values, records, err := read(r)
	if err != nil {
		return nil, err
	}
	if list, _ := values["attendance_records"].([]any); len(list) > len(records) {
		return nil, api.FieldError(api.Unique, "attendance_records", "Each learner can be there only once.")
	}
	class, err := auth.LoadCollection(r.Tx, values.String("collection"))
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Create, Sessions, auth.Object{CollectionID: class.ID}); err != nil {
		return nil, err
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	now := store.Zoned(r.Now())
	row := morango.Row{"collection_id": class.ID, "dataset_id": class.DatasetID, "created_by_id": assignments.Author(p, class.DatasetID),
		"session_start_datetime": now, "date_created": now, "date_modified": now}
	if start, given := values["session_start_datetime"].(time.Time); given {
		row["session_start_datetime"] = store.Zoned(start)
	}
	id, err := morango.Insert(r.Tx, a.host.Rand, morango.AttendanceSession, row)
	if err != nil {
		return nil, err
	}
	if err := a.note(r.Tx, id, class.DatasetID, records); err != nil {
		return nil, err
	}
	v, err := one(r, query(), id)
	if err != nil {
		return nil, err
	}
	return api.Created(v), nil
}

func (a *Attendance) update(r *api.Request) (any, error) {
	v, err := load(r, auth.Update)
	if err != nil {
		return nil, err
	}
	values, records, err := read(r)
	if err != nil {
		return nil, err
	}
	changes := morango.Row{}
	if values.Has("collection") {
		class, err := auth.LoadCollection(r.Tx, values.String("collection"))
		if err != nil {
			return nil, err
		}
		if class.DatasetID != v.dataset {
			return nil, api.FieldError(api.Invalid, "collection", "A session cannot move to another facility.")
		}
		changes["collection_id"] = class.ID
	}
	if start, given := values["session_start_datetime"].(time.Time); given {
		changes["session_start_datetime"] = store.Zoned(start)
	}
	if err := morango.Update(r.Tx, morango.AttendanceSession, v.ID, changes); err != nil {
		return nil, err
	}
	if err := a.note(r.Tx, v.ID, v.dataset, records); err != nil {
		return nil, err
	}
	return one(r, query(), v.ID)
}

func (a *Attendance) remove(r *api.Request) (any, error) {
	v, err := load(r, auth.Delete)
	if err != nil {
		return nil, err
	}
	return nil, morango.DeleteRows(r.Tx, morango.Delete, morango.AttendanceSession.Table, v.ID)
}
