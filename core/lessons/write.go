package lessons

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

var (
	resource = whole(api.Objects(
		api.Field{Name: "content_id", Clean: api.CleanUUID},
		api.Field{Name: "channel_id", Clean: api.CleanUUID},
		api.Field{Name: "contentnode_id", Clean: api.CleanUUID},
	))
	fields = []api.Field{
		{Name: "title", Clean: api.CleanString(50, false)},
		{Name: "description", Optional: true, Clean: api.CleanString(200, true)},
		{Name: "resources", Optional: true, List: resource},
		{Name: "active", Optional: true, Clean: api.CleanBool},
		{Name: "collection", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ?")},
	}
)

// whole refuses a resource that lacks an id even where a PATCH lets it leave one out: the original
// fails when it shows such a lesson.
func whole(resource api.Element) api.Element {
	return func(r *api.Request, v any) (any, any) {
		value, wrong := resource(r, v)
		if ids, ok := value.(api.Values); ok && len(ids) < 3 {
			return nil, map[string][]string{"non_field_errors": {"A resource has a content_id, a channel_id and a contentnode_id."}}
		}
		return value, wrong
	}
}

// read cleans a body. Whoever asks is the lesson's author, so nobody signed in is a missing author.
// kolibri/core/lessons/serializers.py: LessonSerializer
func read(r *api.Request) (api.Values, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	to, err := assignments.Lessons.Fields(r, body, false)
	if err != nil {
		return nil, err
	}
	var bad api.Invalidities
	values := r.CleanInto(&bad, "", body, append(to, fields...), r.HTTP.Method == http.MethodPatch)
	if r.Session.UserID == "" {
		bad.Add(api.NullID, "created_by", "This field may not be null.")
	}
	return values, bad.Err()
}

// check refuses learners of other classes, and a title that another lesson of the class has.
func check(r *api.Request, values api.Values, class, self string) error {
	if err := assignments.Lessons.CheckLearners(r, values, class); err != nil {
		return err
	}
	if err := r.Tx.Lock("lessons " + class); err != nil {
		return err
	}
	same, err := r.Tx.Strings("SELECT id FROM lessons_lesson WHERE lower(title) = lower(?) AND collection_id = ?", values.String("title"), class)
	if err != nil || len(same) == 0 {
		return err
	}
	for _, id := range same {
		if id == self {
			return nil
		}
	}
	return api.FieldError(api.Unique, "non_field_errors", "The fields title, collection must make a unique set.")
}

// columnsOf are the columns that cleaned fields change.
func columnsOf(values api.Values) (morango.Row, error) {
	row := morango.Row{}
	for field, column := range map[string]string{"title": "title", "description": "description", "active": "is_active"} {
		if values.Has(field) {
			row[column] = values[field]
		}
	}
	if values.Has("resources") {
		text, err := api.JSON(values["resources"])
		if err != nil {
			return nil, err
		}
		row["resources"] = string(text)
	}
	return row, nil
}

func (l *Lessons) create(r *api.Request) (any, error) {
	c, err := assignments.Creating(r, Permissions, read, func(values api.Values, class *auth.Collection) error {
		if err := check(r, values, class.ID, ""); err != nil {
			return err
		}
		return assignments.Lessons.Once(values)
	})
	if err != nil {
		return nil, err
	}
	row := morango.Row{"description": "", "resources": "[]", "is_active": false, "collection_id": c.Class.ID, "dataset_id": c.Class.DatasetID,
		"created_by_id": assignments.Author(c.Person, c.Class.DatasetID), "date_created": store.Zoned(r.Now())}
	given, err := columnsOf(c.Values)
	if err != nil {
		return nil, err
	}
	for column, value := range given {
		row[column] = value
	}
	id, err := morango.Insert(r.Tx, l.host.Rand, morango.Lesson, row)
	if err != nil {
		return nil, err
	}
	if err := assignments.Lessons.Assign(r.Tx, l.host.Rand, c, id); err != nil {
		return nil, err
	}
	v, err := one(r, query(), id)
	if err != nil {
		return nil, err
	}
	return api.Created(v), nil
}

func (l *Lessons) update(r *api.Request) (any, error) {
	v, err := load(r, auth.Update)
	if err != nil {
		return nil, err
	}
	c, err := assignments.Changing(r, v.Collection, read, func(values api.Values, against string) error {
		return check(r, values, against, v.ID)
	})
	if err != nil {
		return nil, err
	}
	if err := assignments.Lessons.Assign(r.Tx, l.host.Rand, c, v.ID); err != nil {
		return nil, err
	}
	changes, err := columnsOf(c.Values)
	if err != nil {
		return nil, err
	}
	if err := morango.Update(r.Tx, morango.Lesson, v.ID, changes); err != nil {
		return nil, err
	}
	return one(r, query(), v.ID)
}
