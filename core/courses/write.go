package courses

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/morango"
	"kolibri/store"
)

var fields = []api.Field{
	{Name: "active", Optional: true, Clean: api.CleanBool},
	{Name: "course", Clean: api.CleanKey("SELECT 1 FROM content_contentnode WHERE modality = '" + content.Course + "' AND id = ?")},
	{Name: "collection", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ?")},
}

// read cleans a body. kolibri/core/courses/viewsets.py: CourseSessionSerializer
func read(r *api.Request) (api.Values, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	to, err := assignments.Courses.Fields(r, body, false)
	if err != nil {
		return nil, err
	}
	return r.Clean(body, append(fields[:len(fields):len(fields)], to...), r.HTTP.Method == http.MethodPatch)
}

// columnsOf are the columns that cleaned fields change. A course gives the session its title and
// description.
func columnsOf(tx *store.Tx, values api.Values) (morango.Row, error) {
	row := morango.Row{}
	if values.Has("active") {
		row["is_active"] = values.Bool("active")
	}
	if !values.Has("course") {
		return row, nil
	}
	row["course"] = values.String("course")
	var title, description string
	err := tx.QueryRow("SELECT title, coalesce(description, '') FROM content_contentnode WHERE id = ?", row["course"]).Scan(&title, &description)
	row["title"], row["description"] = title, description
	return row, err
}

func (c *Courses) create(r *api.Request) (any, error) {
	change, err := assignments.Creating(r, Permissions, read, func(values api.Values, class *auth.Collection) error {
		if class.Kind != auth.KindClassroom {
			// the original gives sessions of groups to the class, and fails for those of a facility
			return api.FieldError(api.Invalid, "collection", "A course is taken by a class.")
		}
		return assignments.Courses.CheckLearners(r, values, class.ID)
	})
	if err != nil {
		return nil, err
	}
	row, err := columnsOf(r.Tx, change.Values)
	if err != nil {
		return nil, err
	}
	if !change.Values.Has("active") {
		row["is_active"] = false
	}
	// so that a new version of the channel is noticed
	if row["channel_version"], err = r.Tx.Int(`SELECT c.version FROM content_channelmetadata c JOIN content_contentnode n ON n.channel_id = c.id
		WHERE n.id = ?`, row["course"]); err != nil {
		return nil, err
	}
	class := change.Class
	row["collection_id"], row["dataset_id"], row["$classroom"] = class.ID, class.DatasetID, class.ID
	row["created_by_id"], row["date_created"] = assignments.Author(change.Person, class.DatasetID), store.Zoned(r.Now())
	id, err := morango.Insert(r.Tx, c.host.Rand, morango.CourseSession, row)
	if err != nil {
		return nil, err
	}
	if err := assignments.Courses.Assign(r.Tx, c.host.Rand, change, id); err != nil {
		return nil, err
	}
	v, err := one(r, query(), id)
	if err != nil {
		return nil, err
	}
	return api.Created(v), nil
}

func (c *Courses) update(r *api.Request) (any, error) {
	v, err := Load(r, r.Param("pk"), auth.Update)
	if err != nil {
		return nil, err
	}
	change, err := assignments.Changing(r, v.Collection, read, func(values api.Values, against string) error {
		return assignments.Courses.CheckLearners(r, values, against)
	})
	if err != nil {
		return nil, err
	}
	if err := assignments.Courses.Assign(r.Tx, c.host.Rand, change, v.ID); err != nil {
		return nil, err
	}
	changes, err := columnsOf(r.Tx, change.Values)
	if err != nil {
		return nil, err
	}
	if err := morango.Update(r.Tx, morango.CourseSession, v.ID, changes); err != nil {
		return nil, err
	}
	return one(r, query(), v.ID)
}
