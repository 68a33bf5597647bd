// Package assignments gives lessons, quizzes and courses to those who are to work through them: to
// classes, to groups, and to single learners. Single learners are put into an ad hoc group made for
// the one thing that is assigned to them, so that in the database only collections get assignments.
//
// The original has this logic three times (kolibri/core/lessons/serializers.py,
// kolibri/core/exams/serializers.py, kolibri/core/courses/viewsets.py).
package assignments

import (
	"io"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// Kind is a kind of things that can be assigned.
type Kind struct {
	model *morango.Model
	// owner is the column of an assignment that names the thing.
	owner string
	// name is what error messages call the thing.
	name string
	// repeats tells that learners may be named more than once.
	repeats bool
	// classes tells that only classes and their groups can be assigned to: not a facility as a whole,
	// and no ad hoc group by its id.
	classes bool
}

// The kinds.
var (
	Lessons = &Kind{model: morango.LessonAssignment, owner: "lesson_id", name: "lesson"}
	Quizzes = &Kind{model: morango.ExamAssignment, owner: "exam_id", name: "quiz", repeats: true}
	Courses = &Kind{model: morango.CourseSessionAssignment, owner: "course_session_id", name: "course session", classes: true}
)

// adHoc is what all ad hoc groups are called (kolibri/core/auth/utils/users.py).
const adHoc = "Ad hoc"

// Fields are the two fields of a body that say to whom something is assigned: the ids of classes
// and groups in "assignments", which a kind may require, and of learners in "learner_ids". What the
// body names is read at once, not id by id.
func (k *Kind) Fields(r *api.Request, body map[string]any, required bool) ([]api.Field, error) {
	query := "SELECT id FROM kolibriauth_collection WHERE id IN ?"
	if k.classes {
		query += " AND kind IN ('" + auth.KindClassroom + "', '" + auth.KindLearnerGroup + "')"
	}
	collections, err := known(r.Tx, query, body["assignments"])
	if err != nil {
		return nil, err
	}
	learners, err := known(r.Tx, "SELECT id FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN ?", body["learner_ids"])
	if err != nil {
		return nil, err
	}
	return []api.Field{
		{Name: "assignments", Optional: !required, List: key(collections)},
		{Name: "learner_ids", Optional: true, List: key(learners)},
	}, nil
}

// known finds out which ids of a list there are.
func known(tx *store.Tx, query string, list any) (map[string]bool, error) {
	var ids []string
	all, _ := list.([]any)
	for _, v := range all {
		text, _ := v.(string)
		if id, ok := api.ParseUUID(text); ok {
			ids = append(ids, id)
		}
	}
	found := map[string]bool{}
	for chunk := range slices.Chunk(ids, 500) {
		these, err := tx.Strings(query, store.In(chunk))
		if err != nil {
			return nil, err
		}
		for _, id := range these {
			found[id] = true
		}
	}
	return found, nil
}

func key(known map[string]bool) api.Element {
	return api.Each(func(r *api.Request, v any) (any, string, string) {
		text, _ := v.(string)
		id, valid := api.ParseUUID(text)
		switch {
		case valid && known[id]:
			return id, "", ""
		case valid:
			return nil, api.DoesNotExist, `Invalid pk "` + text + `" - object does not exist.`
		}
		return api.CleanKey("")(r, v) // which refuses what is no id without asking the database
	})
}

// IDs are the cleaned ids of one of the Fields, each once.
func IDs(values api.Values, field string) []string {
	list, _ := values[field].([]any)
	ids := make([]string, 0, len(list))
	for _, v := range list {
		if id, ok := v.(string); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Once refuses a body that assigns a new thing to somebody twice.
func (k *Kind) Once(values api.Values) error {
	for _, field := range []string{"assignments", "learner_ids"} {
		if given, _ := values[field].([]any); len(given) > len(IDs(values, field)) {
			return api.FieldError(api.Unique, field, "The "+k.name+" can be assigned to each of them only once.")
		}
	}
	return nil
}

// CheckLearners refuses learners who are not in the class.
func (k *Kind) CheckLearners(r *api.Request, values api.Values, class string) error {
	given, _ := values["learner_ids"].([]any)
	if len(given) == 0 {
		return nil
	}
	ids := IDs(values, "learner_ids")
	members, err := r.Tx.Int(`SELECT count(*) FROM kolibriauth_membership m JOIN kolibriauth_facilityuser u ON u.id = m.user_id
		WHERE m.collection_id = ? AND u.date_deleted IS NULL AND m.user_id IN ?`, class, store.In(ids))
	if err != nil {
		return err
	}
	if int(members) == len(given) || k.repeats && int(members) == len(ids) {
		return nil
	}
	return api.FieldError(api.Invalid, "non_field_errors", "Some learner_ids are not members of the collection that this "+k.name+" is contained in")
}

// assignment is a stored one.
type assignment struct{ id, collection, kind string }

// Assign makes the assignments of a thing what the cleaned Fields of a body say; a field that is
// absent leaves its part as it is.
func (k *Kind) Assign(tx *store.Tx, random io.Reader, c *Change, id string) error {
	current, err := store.Select(tx, func(row store.Scanner) (a assignment, err error) {
		return a, row.Scan(&a.id, &a.collection, &a.kind)
	}, "SELECT a.id, a.collection_id, c.kind FROM "+k.model.Table+" a JOIN kolibriauth_collection c ON c.id = a.collection_id WHERE a."+k.owner+" = ?", id)
	if err != nil {
		return err
	}
	if c.Values.Has("assignments") {
		if err := k.assignCollections(tx, random, c.Person, c.Class, id, current, IDs(c.Values, "assignments")); err != nil {
			return err
		}
	}
	if c.Values.Has("learner_ids") {
		return k.assignLearners(tx, random, c.Person, c.Class, id, current, IDs(c.Values, "learner_ids"))
	}
	return nil
}

func (k *Kind) assignCollections(tx *store.Tx, random io.Reader, p *auth.Person, class *auth.Collection, id string, current []assignment, wanted []string) error {
	var obsolete []string
	for _, a := range current {
		if a.kind != auth.KindAdHocGroup && !slices.Contains(wanted, a.collection) {
			obsolete = append(obsolete, a.id)
		}
		wanted = slices.DeleteFunc(wanted, func(c string) bool { return c == a.collection })
	}
	if err := morango.DeleteRows(tx, morango.Delete, k.model.Table, obsolete...); err != nil {
		return err
	}
	for _, w := range wanted {
		c, err := auth.LoadCollection(tx, w)
		if err != nil {
			return err
		}
		// a list that was read from another thing may hold its ad hoc group
		if c.Kind == auth.KindAdHocGroup {
			continue
		}
		if err := k.assign(tx, random, p, class, id, c); err != nil {
			return err
		}
	}
	return nil
}

func (k *Kind) assign(tx *store.Tx, random io.Reader, p *auth.Person, class *auth.Collection, id string, to *auth.Collection) error {
	if to.DatasetID != class.DatasetID {
		return api.FieldError(api.Invalid, "assignments", "The "+k.name+" and whom it is assigned to must be in the same facility.")
	}
	classroom := to.ParentID
	if to.Kind == auth.KindClassroom {
		classroom = to.ID
	}
	_, err := morango.Insert(tx, random, k.model, morango.Row{k.owner: id, "collection_id": to.ID, "dataset_id": class.DatasetID,
		"assigned_by_id": Author(p, class.DatasetID), "$classroom": classroom})
	return err
}

// Author is who made or assigned something, as its row keeps it: NULL for a superuser of another
// facility, whom the facility's other devices do not know.
func Author(p *auth.Person, dataset string) any {
	if p.DatasetID != dataset {
		return nil
	}
	return p.ID
}

func (k *Kind) assignLearners(tx *store.Tx, random io.Reader, p *auth.Person, class *auth.Collection, id string, current []assignment, learners []string) error {
	i := slices.IndexFunc(current, func(a assignment) bool { return a.kind == auth.KindAdHocGroup })
	switch {
	case i < 0 && len(learners) == 0:
		return nil
	case i < 0:
		if class.Kind != auth.KindClassroom {
			return &api.Error{Status: http.StatusBadRequest, Body: []string{"Only members of a class can be assigned to by themselves"}}
		}
		group, err := auth.CreateCollection(tx, random, auth.KindAdHocGroup, adHoc, class)
		if err != nil {
			return err
		}
		if err := auth.AddMembers(tx, random, group, learners...); err != nil {
			return err
		}
		return k.assign(tx, random, p, class, id, group)
	case len(learners) == 0:
		return auth.DeleteCollection(tx, current[i].collection)
	}
	group, err := auth.LoadCollection(tx, current[i].collection)
	if err != nil {
		return err
	}
	gone, err := tx.Strings("SELECT id FROM kolibriauth_membership WHERE collection_id = ? AND user_id NOT IN ?", group.ID, store.In(learners))
	if err != nil {
		return err
	}
	if err := morango.DeleteRows(tx, morango.Delete, morango.Membership.Table, gone...); err != nil {
		return err
	}
	return auth.AddMembers(tx, random, group, learners...)
}

// Assigned is to whom a thing is assigned: classes and groups, and learners by themselves. Both are
// empty and not nil for nobody.
type Assigned struct{ Collections, Learners []string }

// Fill sets of things to whom they are assigned. at tells a thing's id and where its two lists are.
func Fill[T any](tx *store.Tx, k *Kind, things []*T, at func(*T) (id string, collections, learners *[]string)) error {
	if len(things) == 0 {
		return nil
	}
	ids := make([]string, len(things))
	for i, thing := range things {
		ids[i], _, _ = at(thing)
	}
	assigned, err := k.Of(tx, ids)
	if err != nil {
		return err
	}
	for i, thing := range things {
		_, collections, learners := at(thing)
		*collections, *learners = assigned[ids[i]].Collections, assigned[ids[i]].Learners
	}
	return nil
}

// Of reads to whom things are assigned, by their ids; every id gets an answer.
func (k *Kind) Of(tx *store.Tx, ids []string) (map[string]*Assigned, error) {
	all := make(map[string]*Assigned, len(ids))
	for _, id := range ids {
		all[id] = &Assigned{[]string{}, []string{}}
	}
	owners := map[string][]string{} // the things that an ad hoc group serves: one, but nothing in the schema says so
	var groups []string
	for chunk := range slices.Chunk(ids, 500) {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var owner, collection, kind string
			if err := row.Scan(&owner, &collection, &kind); err != nil {
				return err
			}
			if kind == auth.KindAdHocGroup {
				owners[collection], groups = append(owners[collection], owner), append(groups, collection)
			} else {
				all[owner].Collections = append(all[owner].Collections, collection)
			}
			return nil
		}, "SELECT a."+k.owner+", a.collection_id, c.kind FROM "+k.model.Table+" a JOIN kolibriauth_collection c ON c.id = a.collection_id WHERE a."+
			k.owner+" IN ? ORDER BY a.id", store.In(chunk))
		if err != nil {
			return nil, err
		}
	}
	for chunk := range slices.Chunk(groups, 500) {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var group, user string
			err := row.Scan(&group, &user)
			for _, owner := range owners[group] {
				all[owner].Learners = append(all[owner].Learners, user)
			}
			return err
		}, `SELECT m.collection_id, m.user_id FROM kolibriauth_membership m JOIN kolibriauth_facilityuser u ON u.id = m.user_id
			WHERE m.collection_id IN ? AND u.date_deleted IS NULL ORDER BY m.id`, store.In(chunk))
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
