package transfer

import (
	"encoding/json"

	"kolibri/morango"
	"kolibri/store"
)

// checks are what the models' save methods demand of records beside their fields. They note an error
// with each record that fails.
var checks = map[string]func(*deserialization, *model, []*incoming) error{
	"facilitydataset":    checkDatasets,
	"facility":           checkCollections,
	"classroom":          checkCollections,
	"adhoclearnersgroup": checkCollections,
	"learnergroup":       checkCollections,
	"exam":               tidyExams,
	"unittestassignment": checkUnitTests,
	"role":               checkRoles,
	"membership":         checkMemberships,
}

func (r *incoming) get(m *model, name string) any { return r.values[m.byName[name]] }

func (r *incoming) text(m *model, name string) string {
	text, _ := r.get(m, name).(string)
	return text
}

// checkDatasets: kolibri/core/auth/models.py: FacilityDataset.ensure_compatibility
func checkDatasets(_ *deserialization, m *model, rows []*incoming) error {
	for _, r := range rows {
		if r.get(m, "learner_can_edit_password") == true && (r.get(m, "learner_can_login_with_no_password") == true || r.get(m, "picture_password_settings") != nil) {
			r.err = &failure{"kolibri.core.auth.errors.IncompatibleDeviceSettingError", "learners cannot edit passwords where they sign in without or with pictures"}
		}
	}
	return nil
}

// collection is what rules ask of one.
type collection struct{ kind, parent string }

func (d *deserialization) collections(rows []*incoming, i int) (map[string]collection, error) {
	var ids []string
	for _, r := range rows {
		if id, ok := referred(r, i); ok {
			ids = append(ids, id)
		}
	}
	found := map[string]collection{}
	return found, store.ForEach(d.tx, func(row store.Scanner) error {
		var id string
		var c collection
		var parent *string
		if err := row.Scan(&id, &c.kind, &parent); err != nil {
			return err
		}
		if parent != nil {
			c.parent = *parent
		}
		found[id] = c
		return nil
	}, "SELECT id, kind, parent_id FROM kolibriauth_collection WHERE id IN ?", store.In(ids))
}

// checkCollections: groups are in classes, classes in a facility, which is in nothing.
func checkCollections(d *deserialization, m *model, rows []*incoming) error {
	parents, err := d.collections(rows, m.byName["parent_id"])
	if err != nil {
		return err
	}
	expected := map[string]string{"classroom": "facility", "adhoclearnersgroup": "classroom", "learnergroup": "classroom"}[m.collection]
	for _, r := range rows {
		if parents[r.text(m, "parent_id")].kind != expected {
			r.err = &failure{"kolibri.core.auth.errors.InvalidCollectionHierarchy", "a " + m.collection + " cannot be in such a collection"}
		}
	}
	return nil
}

// checkUnitTests: kolibri/core/courses/models.py: UnitTestAssignment.pre_save
func checkUnitTests(d *deserialization, m *model, rows []*incoming) error {
	collections, err := d.collections(rows, m.byName["collection_id"])
	if err != nil {
		return err
	}
	var sessions []string
	for _, r := range rows {
		sessions = append(sessions, r.text(m, "course_session_id"))
	}
	class := map[string]string{}
	err = store.ForEach(d.tx, func(row store.Scanner) error {
		var id, of string
		err := row.Scan(&id, &of)
		class[id] = of
		return err
	}, "SELECT id, collection_id FROM courses_coursesession WHERE id IN ?", store.In(sessions))
	if err != nil {
		return err
	}
	for _, r := range rows {
		id, of := r.text(m, "collection_id"), class[r.text(m, "course_session_id")]
		if id != of && collections[id].parent != of {
			r.err = &failure{classIntegrity, "UnitTestAssignment collection must be the same as or a child of the CourseSession's collection"}
		}
	}
	return nil
}

// tidyExams: sections without questions are dropped, questions are counted
// (kolibri/core/exams/models.py: Exam.save).
func tidyExams(d *deserialization, m *model, rows []*incoming) error {
	set := func(r *incoming, name string, value any) { r.values[m.byName[name]] = value }
	for _, r := range rows {
		for flag, stamp := range map[string]string{"active": "date_activated", "archive": "date_archived"} {
			if r.get(m, flag) == true && r.get(m, stamp) == nil {
				set(r, stamp, d.tx.Now())
			}
		}
		var sources []json.RawMessage
		if json.Unmarshal([]byte(r.text(m, "question_sources")), &sources) != nil {
			r.err = &failure{classValue, "question_sources is no list"}
			continue
		}
		if r.get(m, "data_model_version") != int64(3) {
			set(r, "question_count", int64(len(sources)))
			continue
		}
		kept, count := sources[:0], 0
		for _, raw := range sources {
			var section struct{ Questions []json.RawMessage }
			if json.Unmarshal(raw, &section) == nil && len(section.Questions) > 0 {
				kept, count = append(kept, raw), count+len(section.Questions)
			}
		}
		set(r, "question_count", int64(count))
		if len(kept) < len(sources) {
			text, err := json.Marshal(kept)
			if err != nil {
				return err
			}
			set(r, "question_sources", string(text))
		}
	}
	return nil
}

// checkRoles: kolibri/core/auth/models.py: Role.validate_role
func checkRoles(d *deserialization, m *model, rows []*incoming) error {
	collections, err := d.collections(rows, m.byName["collection_id"])
	if err != nil {
		return err
	}
	for _, r := range rows {
		switch kind := collections[r.text(m, "collection_id")].kind; {
		case kind == "learnergroup" || kind == "adhoclearnersgroup",
			kind == "classroom" && r.text(m, "kind") != "coach":
			r.err = &failure{"kolibri.core.auth.errors.InvalidRoleKind", "there is no role " + r.text(m, "kind") + " at a " + kind}
		}
	}
	return nil
}

// afterRoles: who coaches a class has a role at the facility too, and nobody with a role signs in
// with pictures (kolibri/core/auth/models.py: Role.save).
func (d *deserialization) afterRoles(rows []*incoming) error {
	m := modelOf(morango.Role.Name)
	var users []string
	for _, r := range rows {
		users = append(users, r.text(m, "user_id"))
	}
	type lack struct{ user, dataset, facility string }
	lacks, err := store.Select(d.tx, func(row store.Scanner) (l lack, err error) {
		return l, row.Scan(&l.user, &l.dataset, &l.facility)
	}, `SELECT DISTINCT r.user_id, r.dataset_id, c.parent_id FROM kolibriauth_role r JOIN kolibriauth_collection c ON c.id = r.collection_id
		WHERE r.user_id IN ? AND c.kind = 'classroom' AND NOT EXISTS (SELECT 1 FROM kolibriauth_role f WHERE f.user_id = r.user_id AND f.collection_id = c.parent_id)
		AND NOT EXISTS (SELECT 1 FROM morango_store s WHERE s.model_name = 'role' AND s.profile = 'facilitydata' AND s.dirty_bit AND NOT s.deleted
			AND s.partition = r._morango_partition AND s.source_id LIKE replace(CAST(c.parent_id AS text), '-', '') || ':%')`, store.In(users))
	if err != nil {
		return err
	}
	for _, l := range lacks {
		row := morango.Row{"user_id": l.user, "dataset_id": l.dataset, "collection_id": l.facility, "kind": "classroom assignable coach"}
		if _, err := morango.InsertNew(d.tx, nil, morango.Role, row); err != nil {
			return err
		}
	}
	_, err = d.tx.Exec("UPDATE kolibriauth_facilityuser SET picture_password = NULL, _morango_dirty_bit = ? WHERE picture_password IS NOT NULL AND id IN ?", true, store.In(users))
	return err
}

// checkMemberships: only who is in a class can be in its groups
// (kolibri/core/auth/models.py: Membership.validate_membership).
func checkMemberships(d *deserialization, m *model, rows []*incoming) error {
	collections, err := d.collections(rows, m.byName["collection_id"])
	if err != nil {
		return err
	}
	type membership struct{ user, collection string }
	var users []string
	for _, r := range rows {
		users = append(users, r.text(m, "user_id"))
	}
	has := map[membership]bool{}
	err = store.ForEach(d.tx, func(row store.Scanner) error {
		var of membership
		err := row.Scan(&of.user, &of.collection)
		has[of] = true
		return err
	}, "SELECT user_id, collection_id FROM kolibriauth_membership WHERE user_id IN ?", store.In(users))
	if err != nil {
		return err
	}
	for _, r := range rows { // those of classes come first
		own := membership{r.text(m, "user_id"), r.text(m, "collection_id")}
		switch c := collections[own.collection]; {
		case c.kind == "facility":
			r.err = &failure{"kolibri.core.auth.errors.InvalidMembershipError", "everybody is a member of the own facility without a membership"}
		case c.kind != "classroom" && !has[membership{own.user, c.parent}]:
			r.err = &failure{"kolibri.core.auth.errors.InvalidMembershipError", "only members of a class can be in its groups"}
		default:
			has[own] = true
		}
	}
	return nil
}
