package assignments

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// copied is a kind of things of which a single user's device gets personal copies: it may not see what
// is assigned to others (kolibri/core/lessons/single_user_assignment_utils.py and that of exams).
type copied struct {
	*Kind
	thing, personal *morango.Model
	// active is the column that says whether learners see the thing; creator who made it; owner names
	// the thing in personal copies, text holds it.
	active, creator, text string
	// without are the fields that copies do not hold.
	without []string
}

var (
	copiedLessons = &copied{Lessons, morango.Lesson, morango.IndividualSyncableLesson, "is_active", "created_by_id", "serialized_lesson",
		[]string{"is_active", "created_by_id", "date_created"}}
	copiedQuizzes = &copied{Quizzes, morango.Exam, morango.IndividualSyncableExam, "active", "creator_id", "serialized_exam",
		[]string{"active", "creator_id", "date_created", "date_activated"}}
)

// SyncHook makes the personal copies before they are sent to a single user's device, and lessons and
// quizzes of them there. kolibri/core/lessons/kolibri_plugin.py, kolibri/core/exams/kolibri_plugin.py
var SyncHook = transfer.Hook{App: "assignments", Operations: []transfer.Operation{
	copiedLessons.making("SingleUserLessonSerializeOperation"), copiedQuizzes.making("SingleUserExamSerializeOperation"),
	copiedLessons.taking("SingleUserLessonCleanupOperation"), copiedQuizzes.taking("SingleUserExamCleanupOperation"),
}}

func (c *copied) making(name string) transfer.Operation {
	return transfer.Operation{Name: name, Stage: transfer.Serializing, Run: func(tx *store.Tx, e *transfer.Event) error {
		if !e.SoleUser() || !e.RemoteSingleUser || e.Receives() {
			return nil
		}
		return c.makeCopies(tx, e.UserID)
	}}
}

func (c *copied) taking(name string) transfer.Operation {
	return transfer.Operation{Name: name, Stage: transfer.Cleanup, Priority: 10, Run: func(tx *store.Tx, e *transfer.Event) error {
		if !e.SoleUser() || !e.LocalSingleUser || !e.Receives() {
			return nil
		}
		return c.takeCopies(tx, e.UserID)
	}}
}

// copyRow is a personal copy, or an assignment, as far as both are alike.
type copyRow struct{ id, thing, collection, text string }

// assigned are the active things assigned to a user by any membership, each by its widest collection
// (kolibri/core/auth/utils/sync.py: learner_canonicalized_assignments).
func (c *copied) assigned(tx *store.Tx, user string) ([]copyRow, error) {
	return store.Select(tx, func(row store.Scanner) (r copyRow, err error) {
		return r, row.Scan(&r.id, &r.thing, &r.collection)
	}, fmt.Sprintf(`SELECT a.id, a.%[1]s, a.collection_id FROM %[2]s a JOIN kolibriauth_collection c ON c.id = a.collection_id
		WHERE a.collection_id IN (SELECT collection_id FROM kolibriauth_membership WHERE user_id = ?)
		AND a.%[1]s IN (SELECT id FROM %[3]s WHERE %[4]s = ?)
		ORDER BY a.%[1]s, CASE c.kind WHEN 'classroom' THEN 1 WHEN 'learnergroup' THEN 2 WHEN 'adhoclearnersgroup' THEN 3 ELSE 4 END, a.id`,
		c.owner, c.model.Table, c.thing.Table, c.active), user, true)
}

func (c *copied) copies(tx *store.Tx, user string) (map[string]copyRow, error) {
	all := map[string]copyRow{}
	return all, store.ForEach(tx, func(row store.Scanner) error {
		var r copyRow
		err := row.Scan(&r.id, &r.thing, &r.collection, &r.text)
		all[r.thing] = r
		return err
	}, fmt.Sprintf("SELECT id, %s, collection_id, %s FROM %s WHERE user_id = ?", c.owner, c.text, c.personal.Table), user)
}

// makeCopies brings a user's personal copies up to date.
func (c *copied) makeCopies(tx *store.Tx, user string) error {
	assigned, err := c.assigned(tx, user)
	if err != nil {
		return err
	}
	old, err := c.copies(tx, user)
	if err != nil {
		return err
	}
	var dataset string
	if err := tx.QueryRow("SELECT dataset_id FROM kolibriauth_facilityuser WHERE id = ?", user).Scan(&dataset); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil // deleted here: there is nobody to make copies for
		}
		return err
	}
	current := ""
	for _, a := range assigned {
		if a.thing == current { // by a narrower collection too
			continue
		}
		current = a.thing
		text, err := transfer.Text(tx, c.thing, a.thing, c.without...)
		if err != nil {
			return err
		}
		known, ok := old[a.thing]
		delete(old, a.thing)
		row := morango.Row{c.text: text, "collection_id": a.collection}
		switch {
		case !ok:
			row["user_id"], row["dataset_id"], row[c.owner] = user, dataset, a.thing
			_, err = morango.InsertNew(tx, nil, c.personal, row)
		case known.collection != a.collection || !sameJSON(known.text, text):
			err = morango.Update(tx, c.personal, known.id, row)
		}
		if err != nil {
			return err
		}
	}
	ended := make([]string, 0, len(old))
	for _, r := range old {
		ended = append(ended, r.id)
	}
	slices.Sort(ended)
	return morango.DeleteRows(tx, morango.Delete, c.personal.Table, ended...)
}

// takeCopies makes things and assignments of a user's personal copies. They do not travel on.
func (c *copied) takeCopies(tx *store.Tx, user string) error {
	copies, err := c.copies(tx, user)
	if err != nil {
		return err
	}
	assigned, err := c.assigned(tx, user)
	if err != nil {
		return err
	}
	var ended []string
	has := map[string]bool{}
	for _, a := range assigned {
		r, ok := copies[a.thing]
		if !ok {
			ended = append(ended, a.id)
			continue
		}
		has[a.thing] = true
		text, err := transfer.Text(tx, c.thing, a.thing, c.without...)
		if err != nil {
			return err
		}
		if r.collection == a.collection && sameJSON(r.text, text) {
			continue
		}
		if err := c.place(tx, r, user); err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE "+c.model.Table+" SET collection_id = ?, _morango_dirty_bit = ? WHERE id = ?", r.collection, false, a.id)
		if err != nil {
			return err
		}
	}
	for thing, r := range copies {
		if has[thing] {
			continue
		}
		if err := c.assign(tx, r, user); err != nil {
			return err
		}
	}
	return morango.DeleteRows(tx, morango.Forget, c.model.Table, ended...)
}

// assign makes the thing of a copy and its assignment. A copy that cannot be one is passed over: it
// must not keep the others from coming.
func (c *copied) assign(tx *store.Tx, r copyRow, user string) error {
	err := tx.Savepoint(func() error {
		if err := c.place(tx, r, user); err != nil {
			return err
		}
		var dataset string
		if err := tx.QueryRow("SELECT dataset_id FROM "+c.thing.Table+" WHERE id = ?", r.thing).Scan(&dataset); err != nil {
			return err
		}
		ids, err := morango.InsertNew(tx, nil, c.model, morango.Row{c.owner: r.thing, "collection_id": r.collection, "dataset_id": dataset, "assigned_by_id": user})
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE "+c.model.Table+" SET _morango_dirty_bit = ? WHERE id IN ?", false, store.In(ids))
		return err
	})
	if transfer.IsRecord(err) {
		return nil
	}
	return err
}

// place writes the thing of a copy. It is the class's, and the learner counts as who made it.
func (c *copied) place(tx *store.Tx, r copyRow, user string) error {
	changes := map[string]any{c.active: true, c.creator: user}
	var named struct {
		Collection string `json:"collection_id"`
	}
	if err := json.Unmarshal([]byte(r.text), &named); err != nil {
		return err
	}
	if named.Collection == "" { // as copies of older devices do not say
		var class string
		err := tx.QueryRow("SELECT CASE WHEN kind = 'classroom' THEN id ELSE parent_id END FROM kolibriauth_collection WHERE id = ?", r.collection).Scan(&class)
		if err != nil {
			return err
		}
		changes["collection_id"] = class
	}
	_, err := transfer.Place(tx, c.thing, r.text, changes)
	return err
}

// sameJSON tells whether two texts hold the same, whatever their blanks and order.
func sameJSON(a, b string) bool {
	var left, right map[string]any
	return json.Unmarshal([]byte(a), &left) == nil && json.Unmarshal([]byte(b), &right) == nil && reflect.DeepEqual(left, right)
}
