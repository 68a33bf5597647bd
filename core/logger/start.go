package logger

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// The kinds of mastery models that this app treats in its own way (le_utils/constants/exercises.py).
const (
	mOfN        = "m_of_n"
	quizModel   = "quiz"
	prePostTest = "pre_post_test"
)

var (
	contentKinds  = []string{"topic", "video", "audio", "exercise", "document", "html5", "slideshow", "h5p", "zim", quizModel}
	masteryModels = []string{"do_all", "num_correct_in_a_row_2", "num_correct_in_a_row_10", "num_correct_in_a_row_3",
		"num_correct_in_a_row_5", "skill_check", mOfN, quizModel, prePostTest}
)

// visit is what somebody is about to work on, and in what context.
type visit struct {
	content, channel, kind string
	model                  map[string]any // nil for what is no assessment
	context                sessionContext
	repeat                 bool
}

// sessionContext is kept with a session and given back to the page.
// kolibri/core/logger/api.py: LogContext
type sessionContext struct {
	Node    string `json:"node_id,omitempty"`
	Quiz    string `json:"quiz_id,omitempty"`
	Lesson  string `json:"lesson_id,omitempty"`
	Mastery *int64 `json:"mastery_level,omitempty"`
	Course  string `json:"course_session_id,omitempty"`
	Unit    string `json:"unit_id,omitempty"`
}

var startFields = []api.Field{
	{Name: "lesson_id", Optional: true, Clean: api.CleanUUID},
	{Name: "node_id", Optional: true, Clean: api.CleanUUID},
	{Name: "content_id", Optional: true, Clean: api.CleanUUID},
	{Name: "channel_id", Optional: true, Clean: api.CleanUUID},
	{Name: "kind", Optional: true, Clean: api.CleanChoice(contentKinds...)},
	{Name: "mastery_model", Optional: true, Clean: cleanDict},
	{Name: "course_session_id", Optional: true, Clean: api.CleanUUID},
	{Name: "quiz_id", Optional: true, Clean: api.CleanUUID},
	{Name: "unit_id", Optional: true, Clean: api.CleanUUID},
	{Name: "test_type", Optional: true, Clean: api.CleanChoice("pre", "post")},
	{Name: "repeat", Optional: true, Default: false, Clean: api.CleanBool},
}

var modelFields = []api.Field{
	{Name: "type", Clean: api.CleanChoice(masteryModels...)},
	{Name: "m", Optional: true, Clean: api.CleanInt},
	{Name: "n", Optional: true, Clean: api.CleanInt},
}

func cleanDict(_ *api.Request, v any) (any, string, string) {
	if m, ok := v.(map[string]any); ok {
		return m, "", ""
	}
	return nil, "NOT_A_DICT", "Expected a dictionary of items."
}

// readVisit reads and checks the body of a request that starts a session.
// kolibri/core/logger/api.py: StartSessionSerializer
func readVisit(r *api.Request) (api.Values, map[string]any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, nil, err
	}
	var bad api.Invalidities
	v := r.CleanInto(&bad, "", body, startFields, false)
	var model map[string]any
	if given, ok := v["mastery_model"].(map[string]any); ok {
		model = r.CleanInto(&bad, "mastery_model.", given, modelFields, false)
	}
	if err := bad.Err(); err != nil {
		return nil, nil, err
	}
	return v, model, fits(v)
}

// fits refuses contexts that exclude each other or lack a part.
func fits(v api.Values) error {
	refuse := func(message string) error { return api.FieldError(api.Invalid, "non_field_errors", message) }
	switch node, quiz, unit := v.Has("node_id"), v.Has("quiz_id"), v.Has("unit_id"); {
	case !node && !quiz && !unit:
		return refuse("One of node_id, quiz_id, or unit_id is required")
	case quiz && (v.Has("lesson_id") || node):
		return refuse("quiz_id must not be mixed with other context")
	case v.Has("course_session_id") && v.Has("lesson_id"):
		return refuse("The course_session_id and lesson_id are mutually exclusive identifiers")
	case unit && (node || quiz):
		return refuse("unit_id must not be combined with node_id or quiz_id")
	}
	var bad api.Invalidities
	need := func(field, message string) {
		// a message within a list of messages, as the original's serializer wraps it
		bad.Add(api.Invalid, field, "[ErrorDetail(string='"+message+"', code='invalid')]")
	}
	if v.Has("node_id") {
		exercise := v.String("kind") == "exercise"
		switch {
		case !v.Has("kind"):
			need("kind", "kind is required for any node_id")
		case exercise && !v.Has("mastery_model"):
			need("mastery_model", "mastery model must be specified for exercise kinds")
		case !exercise && v.Has("mastery_model"):
			need("mastery_model", "mastery model must not be specified for non-exercise kinds")
		}
		for _, field := range []string{"content_id", "channel_id"} {
			if !v.Has(field) {
				need(field, field+" is required for any node_id")
			}
		}
	}
	if v.Has("unit_id") {
		for _, field := range []string{"test_type", "course_session_id"} {
			if !v.Has(field) {
				need(field, field+" is required when unit_id is provided")
			}
		}
	}
	return bad.Err()
}

// visitOf finds what a request is about to work on, and refuses what is not assigned to the person.
// kolibri/core/logger/api.py: ProgressTrackingViewSet._get_context
func visitOf(r *api.Request, p *auth.Person) (*visit, error) {
	v, model, err := readVisit(r)
	if err != nil {
		return nil, err
	}
	at := &visit{repeat: v.Bool("repeat")}
	course := v.String("course_session_id")
	switch {
	case v.Has("node_id"):
		at.content, at.channel, at.kind, at.model = v.String("content_id"), v.String("channel_id"), v.String("kind"), model
		at.context.Node = v.String("node_id")
		if v.Has("lesson_id") {
			at.context.Lesson = v.String("lesson_id")
			err = assignedOr(r, p, lessonAssigned, at.context.Lesson, plain("Invalid lesson_id"))
		}
		if v.Has("course_session_id") && err == nil {
			at.context.Course = course
			err = assignedOr(r, p, courseAssigned, course, plain("Invalid course_session_id"))
		}
	case v.Has("quiz_id"):
		at.content, at.kind = v.String("quiz_id"), quizModel
		at.model = map[string]any{"type": quizModel, "coach_assigned": true}
		at.context.Quiz = at.content
		err = mayTakeQuiz(r, p, at.content)
	default:
		unit, test := v.String("unit_id"), v.String("test_type")
		err = assignedOr(r, p, courseAssigned, course, plain("Invalid course_session_id"))
		at.content, at.kind = UnitTestContentID(course, unit, test), quizModel
		at.model = map[string]any{"type": prePostTest, "version": testVersion(p.ID, course, unit, test), "test_type": test}
		at.context.Unit, at.context.Course = unit, course
	}
	return at, err
}

// plain is a 400 whose body is a list of texts, as of an error raised outside of any field.
func plain(text string) error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{text}}
}

const (
	ofPerson       = " JOIN kolibriauth_membership m ON m.collection_id = a.collection_id WHERE m.user_id = ? AND "
	lessonAssigned = "SELECT 1 FROM lessons_lessonassignment a" + ofPerson + "a.lesson_id = ?"
	courseAssigned = "SELECT 1 FROM courses_coursesessionassignment a" + ofPerson + "a.course_session_id = ?"
	quizAssigned   = "SELECT 1 FROM exams_examassignment a JOIN exams_exam e ON e.id = a.exam_id AND e.active = TRUE" + ofPerson + "e.id = ?"
)

// assignedOr refuses with an error what the query does not find assigned to the person.
func assignedOr(r *api.Request, p *auth.Person, query, id string, refusal error) error {
	if p.IsAnonymous() {
		return r.PermissionDenied()
	}
	found, err := r.Tx.Exists(query, p.ID, id)
	if err == nil && !found {
		err = refusal
	}
	return err
}

func mayTakeQuiz(r *api.Request, p *auth.Person, quiz string) error {
	return assignedOr(r, p, quizAssigned, quiz, r.PermissionDenied())
}

// testVersion tells which half of a unit's questions a learner meets in a test: the other half
// comes in the other test. It follows from who he is, so that all devices agree.
func testVersion(user, course, unit, test string) string {
	sum := md5.Sum([]byte(user + ":" + course + ":" + unit))
	if (sum[len(sum)-1]%2 == 0) == (test == "pre") {
		return "A"
	}
	return "B"
}

// testNamespace is the namespace of UnitTestContentID.
var testNamespace = [16]byte{0x7c, 0x9e, 0x4b, 0x1a, 0x3d, 0x5f, 0x4a, 0x8e, 0x9c, 0x2b, 0x6d, 0x0e, 0x1f, 0x2a, 0x3b, 0x4c}

// UnitTestContentID is the content id under which all learners' work on a test of a course's unit is kept.
// kolibri/core/logger/utils/pre_post_test.py
func UnitTestContentID(course, unit, test string) string {
	sum := sha1.Sum(append(testNamespace[:], course+":"+unit+":"+test...))
	id := sum[:16]
	id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
	return hex.EncodeToString(id)
}

// datasetOf is the dataset that the logs of a person belong to: for a guest the default facility's.
// kolibri/core/logger/models.py: BaseLogModel.infer_dataset
func datasetOf(r *api.Request, p *auth.Person) (string, error) {
	if !p.IsAnonymous() {
		return p.DatasetID, nil
	}
	found, err := r.Tx.Strings(`SELECT c.dataset_id FROM kolibriauth_collection c LEFT JOIN device_devicesettings d ON d.default_facility_id = c.id
		WHERE c.kind = 'facility' ORDER BY CASE WHEN d.id IS NULL THEN 1 ELSE 0 END, c.id LIMIT 1`)
	if err == nil && len(found) == 0 {
		err = api.Fail(http.StatusBadRequest, api.FacilityDoesNotExist, nil)
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// moment reads a column of zoned time for an answer.
func moment(z store.Zoned) api.Time { return api.Time(z.Time()) }
