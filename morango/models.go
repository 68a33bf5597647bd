package morango

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Profile is the one set of models that synchronize together.
const Profile = "facilitydata"

// Model is a kind of record that synchronizes.
type Model struct {
	// Name is the name that ids and the store use; Table is where the rows are.
	Name, Table string
	// Partition says where a record of the model lies. Words in braces are columns of the row, or
	// values that only identity needs, given as "$name"; ${id} is the row's own id. After a | stands
	// what holds when a named column is empty.
	Partition string
	// Source is the source id, in the same notation; an empty one is drawn at random.
	Source string
}

// The 28 models of Kolibri's profile, in registry order: what comes later may refer to what comes
// earlier, and a synchronization goes through them in this order.
var (
	FacilityDataset          = &Model{"facilitydataset", "kolibriauth_facilitydataset", "${id}:allusers-ro", "{$certificate}"}
	Facility                 = &Model{"facility", "kolibriauth_collection", "{dataset_id}:allusers-ro", ""}
	Classroom                = &Model{"classroom", "kolibriauth_collection", "{dataset_id}:allusers-ro", ""}
	AdHocGroup               = &Model{"adhoclearnersgroup", "kolibriauth_collection", "{dataset_id}:allusers-ro", ""}
	LearnerGroup             = &Model{"learnergroup", "kolibriauth_collection", "{dataset_id}:allusers-ro", ""}
	FacilityUser             = &Model{"facilityuser", "kolibriauth_facilityuser", "{dataset_id}:user-ro:${id}", ""}
	AttendanceSession        = &Model{"attendancesession", "attendance_attendancesession", "{dataset_id}", ""}
	AttendanceRecord         = &Model{"attendancerecord", "attendance_attendancerecord", "{dataset_id}", "{attendance_session_id}:{user_id}"}
	IndividualSyncableLesson = &Model{"individualsyncablelesson", "lessons_individualsyncablelesson", "{dataset_id}:user-ro:{user_id}", "{lesson_id}"}
	Lesson                   = &Model{"lesson", "lessons_lesson", "{dataset_id}", ""}
	LessonAssignment         = &Model{"lessonassignment", "lessons_lessonassignment", "{dataset_id}", "{lesson_id}:{collection_id}"}
	LearnerDeviceStatus      = &Model{"learnerdevicestatus", "device_learnerdevicestatus", "{dataset_id}:user-rw:{user_id}", "{instance_id}:{user_id}"}
	CourseSession            = &Model{"coursesession", "courses_coursesession", "{dataset_id}:classroom:{$classroom}:coach-rw", ""}
	// UnitTestAssignment needs $test: the hex MD5 of "unittestassignment:UNIT:COLLECTION:TESTTYPE".
	UnitTestAssignment      = &Model{"unittestassignment", "courses_unittestassignment", "{dataset_id}:classroom:{$classroom}:coach-rw", "{course_session_id}:{$test}"}
	CourseSessionAssignment = &Model{"coursesessionassignment", "courses_coursesessionassignment", "{dataset_id}:classroom:{$classroom}:coach-rw", "{course_session_id}:{collection_id}"}
	IndividualSyncableExam  = &Model{"individualsyncableexam", "exams_individualsyncableexam", "{dataset_id}:user-ro:{user_id}", "{exam_id}"}
	Exam                    = &Model{"exam", "exams_exam", "{dataset_id}", ""}
	ExamAssignment          = &Model{"examassignment", "exams_examassignment", "{dataset_id}", "{exam_id}:{collection_id}"}
	ExamLog                 = &Model{"examlog", "logger_examlog", "{dataset_id}", "{exam_id}:{user_id}"}
	ExamAttemptLog          = &Model{"examattemptlog", "logger_examattemptlog", "{dataset_id}", ""}
	UserSessionLog          = &Model{"usersessionlog", "logger_usersessionlog", ofLearner, ""}
	ContentSummaryLog       = &Model{"contentsummarylog", "logger_contentsummarylog", ofLearner, "{content_id}"}
	MasteryLog              = &Model{"masterylog", "logger_masterylog", ofLearner, "{summarylog_id}:{mastery_level}"}
	ContentSessionLog       = &Model{"contentsessionlog", "logger_contentsessionlog", ofLearner, ""}
	AttemptLog              = &Model{"attemptlog", "logger_attemptlog", ofLearner, ""}
	Bookmark                = &Model{"bookmark", "bookmarks_bookmark", "{dataset_id}:user-rw:{user_id}", ""}
	Role                    = &Model{"role", "kolibriauth_role", "{dataset_id}:user-ro:{user_id}", "{collection_id}:{kind}"}
	Membership              = &Model{"membership", "kolibriauth_membership", "{dataset_id}:user-ro:{user_id}", "{collection_id}"}

	Models = []*Model{FacilityDataset, Facility, Classroom, AdHocGroup, LearnerGroup, FacilityUser, AttendanceSession,
		AttendanceRecord, IndividualSyncableLesson, Lesson, LessonAssignment, LearnerDeviceStatus, CourseSession,
		UnitTestAssignment, CourseSessionAssignment, IndividualSyncableExam, Exam, ExamAssignment, ExamLog, ExamAttemptLog,
		UserSessionLog, ContentSummaryLog, MasteryLog, ContentSessionLog, AttemptLog, Bookmark, Role, Membership}
)

// ofLearner is the partition of what a learner leaves behind, or an anonymous visitor.
const ofLearner = "{dataset_id}:user-rw:{user_id}|{dataset_id}:anonymous"

// idPlaceholder stands for a record's own id while that id is being computed.
const idPlaceholder = "${id}"

// Row is a row by column names. A name that begins with $ is no column: it only serves partition and
// source id. "$source" gives the source id itself.
type Row map[string]any

// Identity is what morango knows a record by.
type Identity struct{ ID, Source, Partition string }

// Identify computes the identity of a row; it draws the source id where the model has a random one.
func (m *Model) Identify(random io.Reader, row Row) (Identity, error) {
	partition, err := m.partition(row)
	if err != nil {
		return Identity{}, err
	}
	source, _ := row["$source"].(string)
	switch {
	case source != "":
	case m.Source == "":
		source, err = NewID(random)
	default:
		source, err = fill(m.Source, row)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("morango: source id of %s: %w", m.Name, err)
	}
	id := source
	if m != FacilityDataset { // whose id is that of its root certificate
		id = UUID(partition, source, m.Name)
	}
	return Identity{id, source, strings.ReplaceAll(partition, idPlaceholder, id)}, nil
}

func (m *Model) partition(row Row) (string, error) {
	first, otherwise, hasOther := strings.Cut(m.Partition, "|")
	partition, err := fill(first, row)
	if hasOther && errors.Is(err, errEmpty) {
		partition, err = fill(otherwise, row)
	}
	if err != nil {
		return "", fmt.Errorf("morango: partition of %s: %w", m.Name, err)
	}
	return partition, nil
}

// errEmpty tells that a value which identity depends on is missing.
var errEmpty = errors.New("a value is missing")

// fill puts the row's values into a pattern; ${id} stays.
func fill(pattern string, row Row) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(pattern, "{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, _ := strings.Cut(rest, "}")
		pattern = after
		if strings.HasSuffix(before, "$") {
			b.WriteString("{" + name + "}")
			continue
		}
		value := text(row[name])
		if value == "" {
			return "", fmt.Errorf("%s: %w", name, errEmpty)
		}
		b.WriteString(value)
	}
}

func text(v any) string {
	switch t := v.(type) {
	case nil:
		return ""
	case string:
		return t
	}
	return fmt.Sprint(v)
}
