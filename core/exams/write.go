package exams

import (
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// maxQuestions is how many questions a section may have (kolibri/core/exams/constants.py).
const maxQuestions = 25

var (
	question = api.Objects(
		api.Field{Name: "exercise_id", Clean: api.CleanUUID},
		api.Field{Name: "question_id", Clean: api.CleanUUID},
		api.Field{Name: "title", Optional: true, Default: "", Clean: api.CleanString(0, true)},
		api.Field{Name: "counter_in_exercise", Clean: api.CleanInt},
	)
	section = api.Objects(
		api.Field{Name: "description", Optional: true, Clean: api.CleanString(0, true)},
		api.Field{Name: "section_title", Optional: true, Clean: api.CleanString(0, true)},
		api.Field{Name: "learners_see_fixed_order", Optional: true, Default: false, Clean: api.CleanBool},
		api.Field{Name: "questions", Optional: true, List: question, MaxItems: maxQuestions},
	)
	fields = []api.Field{
		{Name: "title", Clean: api.CleanString(200, false)},
		{Name: "question_sources", Optional: true, List: section},
		{Name: "active", Optional: true, Clean: api.CleanBool},
		{Name: "collection", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE id = ?")},
		{Name: "archive", Optional: true, Clean: api.CleanBool},
		{Name: "learners_see_fixed_order", Optional: true, Clean: api.CleanBool},
		{Name: "instant_report_visibility", Optional: true, Null: true, Clean: func(r *api.Request, v any) (any, string, string) {
			if v == "" {
				return nil, "", ""
			}
			return api.CleanBool(r, v)
		}},
		{Name: "draft", Optional: true, Default: true, Clean: api.CleanBool},
	}
)

// read cleans a body. kolibri/core/exams/serializers.py: ExamSerializer
func read(r *api.Request) (api.Values, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	to, err := assignments.Quizzes.Fields(r, body, true)
	if err != nil {
		return nil, err
	}
	return r.Clean(body, slices.Concat(fields, to), r.HTTP.Method == http.MethodPatch)
}

// refuse is a 400 about a body as a whole.
func refuse(message string) error { return api.FieldError(api.Invalid, "non_field_errors", message) }

// check refuses what a body may not ask for. v is the quiz or draft that it changes; nil for a new one.
func check(r *api.Request, values api.Values, v *Exam, class string) error {
	if err := assignments.Quizzes.CheckLearners(r, values, class); err != nil {
		return err
	}
	stays := !values.Has("draft") || values.Bool("draft")
	if stays && (v == nil || v.Draft) {
		for _, field := range []string{"active", "archive"} {
			if values.Bool(field) {
				return refuse("Cannot update " + field + " to true on a DraftExam object")
			}
		}
	}
	if err := unique(r, values.String("title"), class, v); err != nil {
		return err
	}
	switch sources, given := values["question_sources"].([]any); {
	case v != nil && !v.Draft && given:
		return refuse("Cannot update question_sources on an Exam object")
	case v != nil || stays:
		return nil
	case len(sources) == 0:
		return refuse("Cannot create an Exam without any question_sources")
	case count(sources) == 0:
		return refuse("Cannot create an Exam without any questions")
	}
	return nil
}

// unique refuses a title that another quiz or draft of the class has.
func unique(r *api.Request, title, class string, v *Exam) error {
	var quiz string
	var number int64
	if v != nil {
		quiz = v.key()
		number, _ = v.ID.(int64)
	}
	if err := r.Tx.Lock("exams " + class); err != nil {
		return err
	}
	same, err := r.Tx.Strings("SELECT id FROM exams_exam WHERE lower(title) = lower(?) AND collection_id = ?", title, class)
	if err != nil {
		return err
	}
	taken := slices.ContainsFunc(same, func(id string) bool { return id != quiz })
	if !taken {
		taken, err = r.Tx.Exists("SELECT 1 FROM exams_draftexam WHERE lower(title) = lower(?) AND collection_id = ? AND id <> ?", title, class, number)
	}
	if err == nil && taken {
		err = api.FieldError(api.Unique, "non_field_errors", "The fields title, collection must make a unique set.")
	}
	return err
}

// listed are the questions of a cleaned section.
func listed(section any) []any {
	values, _ := section.(api.Values)
	all, _ := values["questions"].([]any)
	return all
}

// count counts the questions of cleaned sections.
func count(sections []any) (n int64) {
	for _, s := range sections {
		n += int64(len(listed(s)))
	}
	return n
}

// apply brings what a body says of a quiz or draft itself into it.
func (v *Exam) apply(values api.Values) error {
	if values.Has("title") {
		v.Title = values.String("title")
	}
	if values.Has("learners_see_fixed_order") {
		v.FixedOrder = values.Bool("learners_see_fixed_order")
	}
	if values.Has("instant_report_visibility") {
		v.InstantReport = nil
		if visible, ok := values["instant_report_visibility"].(bool); ok {
			v.InstantReport = &visible
		}
	}
	if sources, ok := values["question_sources"].([]any); ok {
		text, err := api.JSON(sources)
		if err != nil {
			return err
		}
		v.QuestionSources, v.QuestionCount = text, count(sources)
	}
	if v.Draft {
		if values.Has("assignments") {
			v.Assignments = assignments.IDs(values, "assignments")
		}
		if values.Has("learner_ids") {
			v.Learners = assignments.IDs(values, "learner_ids")
		}
		return nil
	}
	if values.Has("active") {
		v.Active = values.Bool("active")
	}
	if values.Has("archive") {
		v.Archive = values.Bool("archive")
	}
	return nil
}

func (e *Exams) create(r *api.Request) (any, error) {
	c, err := assignments.Creating(r, Permissions, read, func(values api.Values, class *auth.Collection) error {
		if !values.Has("question_sources") {
			// the original needs them too, and fails without
			return api.FieldError(api.Required, "question_sources", "This field is required.")
		}
		if values.Has("instant_report_visibility") && values["instant_report_visibility"] == nil {
			return r.Forbidden() // as the original calls a quiz that cannot be
		}
		if err := check(r, values, nil, class.ID); err != nil || values.Bool("draft") {
			return err
		}
		return assignments.Quizzes.Once(values)
	})
	if err != nil {
		return nil, err
	}
	yes := true
	v := &Exam{Collection: c.Class.ID, Seed: 1, Creator: &c.Person.ID, DataModelVersion: 3, InstantReport: &yes, DateCreated: api.Time(r.Now()),
		Assignments: []string{}, Learners: []string{}, Draft: c.Values.Bool("draft")}
	if err := v.apply(c.Values); err != nil {
		return nil, err
	}
	if v.Draft {
		err = insertDraft(r.Tx, v)
	} else {
		err = e.insert(r, v, c)
	}
	if err != nil {
		return nil, err
	}
	made, err := reread(r, v)
	if err != nil {
		return nil, err
	}
	return api.Created(made), nil
}

// reread reads a quiz or draft back, as the answer shows it.
func reread(r *api.Request, v *Exam) (*Exam, error) {
	q := draftQuery().Where("e.id = ?", v.ID)
	read := findDrafts
	if !v.Draft {
		q, read = query().Where("e.id = ?", v.ID), findAssigned
	}
	all, err := read(r.Tx, q)
	if err == nil && len(all) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

func insertDraft(tx *store.Tx, v *Exam) error {
	collections, learners, err := v.assigned()
	if err != nil {
		return err
	}
	v.ID, err = tx.Insert(`INSERT INTO exams_draftexam (title, question_count, question_sources, seed, learners_see_fixed_order, data_model_version,
		date_created, assignments, learner_ids, collection_id, creator_id, instant_report_visibility) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		v.Title, v.QuestionCount, string(v.QuestionSources), v.Seed, v.FixedOrder, v.DataModelVersion, tx.Now(), collections, learners,
		v.Collection, v.Creator, v.InstantReport)
	return err
}

// assigned are the two columns in which a draft keeps to whom it will be assigned.
func (v *Exam) assigned() (collections, learners string, err error) {
	c, err := api.JSON(v.Assignments)
	if err != nil {
		return "", "", err
	}
	l, err := api.JSON(v.Learners)
	return string(c), string(l), err
}

// withoutEmpty are the question sources without sections that have no questions.
// kolibri/core/exams/models.py: Exam.save
func (v *Exam) withoutEmpty() ([]byte, error) {
	if v.DataModelVersion != 3 {
		return v.QuestionSources, nil
	}
	full := []map[string]any{}
	for _, s := range sections(v.QuestionSources) {
		if len(questions(s)) > 0 {
			full = append(full, s)
		}
	}
	return api.JSON(full)
}

// insert writes a new quiz and assigns it.
func (e *Exams) insert(r *api.Request, v *Exam, c *assignments.Change) error {
	sources, err := v.withoutEmpty()
	if err != nil {
		return err
	}
	class, creator := c.Class, c.Person
	if v.Creator != nil && *v.Creator != c.Person.ID {
		if creator, err = auth.LoadPerson(r.Tx, *v.Creator); err != nil {
			return err
		}
	}
	activated, archived := stamps(v.Active, v.Archive, v.DateActivated, v.DateArchived, r.Now())
	id, err := morango.Insert(r.Tx, e.host.Rand, morango.Exam, morango.Row{"title": v.Title, "question_count": v.QuestionCount,
		"question_sources": string(sources), "seed": v.Seed, "active": v.Active, "archive": v.Archive, "collection_id": class.ID,
		"creator_id": assignments.Author(creator, class.DatasetID), "dataset_id": class.DatasetID, "data_model_version": v.DataModelVersion,
		"learners_see_fixed_order": v.FixedOrder, "date_created": timeOf(v.DateCreated, r), "date_archived": archived, "date_activated": activated, "instant_report_visibility": v.InstantReport})
	if err != nil {
		return err
	}
	v.ID = id
	return assignments.Quizzes.Assign(r.Tx, e.host.Rand, c, id)
}
