// Package bigschool makes a facility of any size with everything that years of use leave in it:
// learners in classes, lessons, quizzes, and the logs of the work on them. What it writes is valid
// for a real Kolibri, with the identities that make records synchronize. Benchmarks and the tests
// that count queries use it.
package bigschool

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// Size says how big a school is. Each class has its share of the learners.
type Size struct {
	Learners, Classes int
	// Lessons and Quizzes are those of each class.
	Lessons, Quizzes int
	// Attempts are the answers of all learners together.
	Attempts int
}

// Big is the size that the benchmarks are about.
var Big = Size{Learners: 5000, Classes: 100, Lessons: 5, Quizzes: 4, Attempts: 500_000}

// School is what was made: the ids of what it has.
type School struct {
	Facility, Dataset string
	Classes, Learners []string
	// Lessons and Quizzes are those of the first class, Content what its first lesson uses.
	Lessons, Quizzes []string
	Exercise, Drill  string
}

// People who can sign in: all have the password that was given. Learners are learner0 and so on.
const (
	Superuser = "admin"
	Coach     = "coach"
)

// perTry is how many questions a try has.
const perTry = 10

// ID is the content id of a resource of the school's channel, or of anything else by its name.
func ID(name string) string {
	sum := sha256.Sum256([]byte("bigschool " + name))
	return hex.EncodeToString(sum[:16])
}

// Make fills an empty database. password is as the column keeps it; certificate is a new one.
func Make(ctx context.Context, db *store.DB, random io.Reader, password string, certificate *morango.Certificate, size Size) (*School, error) {
	b := &builder{random: random, password: password, size: size, luck: rand.New(rand.NewPCG(1, 2)), School: &School{}}
	for _, step := range []func(*store.Tx) error{
		func(tx *store.Tx) error { return b.found(tx, certificate) }, b.plant, b.enrol, b.teach,
	} {
		if err := db.Write(ctx, step); err != nil {
			return nil, err
		}
	}
	// a transaction for each class keeps the journal small
	for class := range b.Classes {
		if err := db.Write(ctx, func(tx *store.Tx) error { return b.work(tx, class) }); err != nil {
			return nil, err
		}
	}
	return b.School, nil
}

type builder struct {
	*School
	random   io.Reader
	password string
	size     Size
	luck     *rand.Rand

	facility *auth.Collection
	coach    string
	classes  []*auth.Collection
	members  [][]string // the learners of each class
	quizzes  [][]string // the quizzes of each class
	lessons  [][]string
}

// found makes the facility with its staff, and sets the device up.
func (b *builder) found(tx *store.Tx, certificate *morango.Certificate) (err error) {
	if b.facility, err = auth.CreateFacility(tx, b.random, auth.NewFacility{Name: "Big School", Certificate: certificate}); err != nil {
		return err
	}
	b.Facility, b.Dataset = b.facility.ID, b.facility.DatasetID
	admin, err := b.user(tx, Superuser, "Ada Admin")
	if err != nil {
		return err
	}
	if b.coach, err = b.user(tx, Coach, "Cora Coach"); err != nil {
		return err
	}
	for user, kind := range map[string]string{admin: auth.Admin, b.coach: auth.Coach} {
		if err := auth.AddRole(tx, b.random, user, b.facility, kind); err != nil {
			return err
		}
	}
	if err := auth.MakeSuperuser(tx, admin); err != nil {
		return err
	}
	device := settings.Defaults(api.DefaultOptions())
	device.IsProvisioned, device.Name, device.DefaultFacility = true, "Big School's server", b.Facility
	return device.Save(tx)
}

func (b *builder) user(tx *store.Tx, name, fullName string) (string, error) {
	return auth.CreateUser(tx, b.random, b.facility, auth.NewUser{Username: name, FullName: fullName, Password: b.password})
}

// resources is how many resources of each kind the channel has.
const resources = 40

var kinds = []struct{ name, kind, modality string }{{"exercise", "exercise", ""}, {"video", "video", ""}, {"drill", "exercise", "QUIZ"}}

// node is the id of a resource, or its content id.
func node(kind string, n int) string      { return ID(fmt.Sprint("node ", kind, n%resources)) }
func contentID(kind string, n int) string { return ID(fmt.Sprint("content ", kind, n%resources)) }

// plant makes a channel of exercises, videos and practice quizzes under one topic.
func (b *builder) plant(tx *store.Tx) error {
	channel := ID("channel")
	insert := func(id, title, content, kind, modality string, left, right, level int, parent any) error {
		options := "{}"
		if modality != "" {
			options = `{"modality": "` + modality + `", "completion_criteria": {"model": "mastery", "threshold": {"mastery_model": "do_all"}}}`
		}
		_, err := tx.Exec(`INSERT INTO content_contentnode (id, title, content_id, channel_id, description, sort_order, license_owner, author, kind, available,
			lft, rght, tree_id, level, coach_content, num_coach_contents, on_device_resources, options, ancestors, admin_imported, modality, parent_id)
			VALUES (?, ?, ?, ?, '', ?, '', '', ?, TRUE, ?, ?, 1, ?, FALSE, 0, 1, ?, '[]', TRUE, ?, ?)`,
			id, title, content, channel, float64(left), kind, left, right, level, options, store.Null(modality), parent)
		return err
	}
	if err := insert(channel, "Everything", channel, "topic", "", 1, 2+2*resources*len(kinds), 0, nil); err != nil {
		return err
	}
	left := 2
	for _, k := range kinds {
		for n := range resources {
			if err := insert(node(k.name, n), fmt.Sprint("A ", k.name, " number ", n), contentID(k.name, n), k.kind, k.modality, left, left+1, 1, channel); err != nil {
				return err
			}
			left += 2
			if k.kind != "exercise" {
				continue
			}
			items := []string{}
			for q := range perTry {
				items = append(items, ID(fmt.Sprint("question ", q)))
			}
			text, err := api.JSON(items)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`INSERT INTO content_assessmentmetadata (id, assessment_item_ids, number_of_assessments, mastery_model, randomize, is_manipulable, contentnode_id)
				VALUES (?, ?, ?, ?, TRUE, FALSE, ?)`, ID(fmt.Sprint("assessment ", k.name, n)), string(text), perTry, `{"type": "m_of_n", "m": 3, "n": 5}`, node(k.name, n)); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(`INSERT INTO content_channelmetadata (id, name, description, author, version, thumbnail, min_schema_version, root_id, "order", public, last_updated,
		total_resource_count, published_size) VALUES (?, 'Everything', '', '', 1, '', '5', ?, 1, FALSE, ?, ?, 0)`,
		channel, channel, store.Zoned(tx.Now()), resources*len(kinds))
	return err
}

// enrol makes the learners, and the classes with a group in each.
func (b *builder) enrol(tx *store.Tx) error {
	for n := range b.size.Classes {
		class, err := auth.CreateCollection(tx, b.random, auth.KindClassroom, fmt.Sprintf("Class %03d", n), b.facility)
		if err != nil {
			return err
		}
		group, err := auth.CreateCollection(tx, b.random, auth.KindLearnerGroup, "First row", class)
		if err != nil {
			return err
		}
		first, end := n*b.size.Learners/b.size.Classes, (n+1)*b.size.Learners/b.size.Classes
		var members []string
		for l := first; l < end; l++ {
			id, err := b.user(tx, fmt.Sprint("learner", l), fmt.Sprintf("Learner Number %d", l))
			if err != nil {
				return err
			}
			members = append(members, id)
		}
		if err := auth.AddMembers(tx, b.random, class, members...); err != nil {
			return err
		}
		if err := auth.AddMembers(tx, b.random, group, members[:len(members)/5]...); err != nil {
			return err
		}
		b.classes, b.members = append(b.classes, class), append(b.members, members)
		b.Classes, b.Learners = append(b.Classes, class.ID), append(b.Learners, members...)
	}
	return nil
}

// teach makes the lessons and quizzes of the classes.
func (b *builder) teach(tx *store.Tx) error {
	for n, class := range b.classes {
		var lessons, quizzes []string
		for l := range b.size.Lessons {
			list := []map[string]string{}
			for _, k := range kinds {
				at := n + l
				list = append(list, map[string]string{"contentnode_id": node(k.name, at), "content_id": contentID(k.name, at), "channel_id": ID("channel")})
			}
			text, err := api.JSON(list)
			if err != nil {
				return err
			}
			id, err := morango.Insert(tx, b.random, morango.Lesson, morango.Row{"title": fmt.Sprint("Lesson ", l), "description": "", "resources": string(text),
				"is_active": true, "collection_id": class.ID, "dataset_id": b.Dataset, "created_by_id": b.coach, "date_created": store.Zoned(tx.Now())})
			if err != nil {
				return err
			}
			lessons = append(lessons, id)
			if err := b.assign(tx, morango.LessonAssignment, "lesson_id", id, class); err != nil {
				return err
			}
		}
		for q := range b.size.Quizzes {
			id, err := b.quiz(tx, fmt.Sprint("Quiz ", q), q, class)
			if err != nil {
				return err
			}
			quizzes = append(quizzes, id)
			if err := b.assign(tx, morango.ExamAssignment, "exam_id", id, class); err != nil {
				return err
			}
		}
		b.lessons, b.quizzes = append(b.lessons, lessons), append(b.quizzes, quizzes)
	}
	if b.size.Classes > 0 {
		b.Lessons, b.Quizzes = b.lessons[0], b.quizzes[0]
	}
	b.Exercise, b.Drill = contentID("exercise", 0), contentID("drill", 0)
	return nil
}

func (b *builder) quiz(tx *store.Tx, title string, q int, class *auth.Collection) (string, error) {
	questions := []map[string]any{}
	for i := range perTry {
		questions = append(questions, map[string]any{"exercise_id": node("exercise", q+i), "question_id": ID(fmt.Sprint("question ", i)), "title": "Question", "counter_in_exercise": i + 1})
	}
	sources, err := api.JSON([]map[string]any{{"section_title": "", "description": "", "learners_see_fixed_order": false, "questions": questions}})
	if err != nil {
		return "", err
	}
	return morango.Insert(tx, b.random, morango.Exam, morango.Row{"title": title, "question_count": perTry, "question_sources": string(sources), "seed": 1, "active": true,
		"archive": false, "collection_id": class.ID, "creator_id": b.coach, "dataset_id": b.Dataset, "data_model_version": 3, "learners_see_fixed_order": false,
		"date_created": tx.Now(), "date_archived": nil, "date_activated": tx.Now(), "instant_report_visibility": true})
}

func (b *builder) assign(tx *store.Tx, m *morango.Model, owner, id string, class *auth.Collection) error {
	_, err := morango.Insert(tx, b.random, m, morango.Row{owner: id, "collection_id": class.ID, "dataset_id": b.Dataset, "assigned_by_id": b.coach})
	return err
}

// span is the time that the logs are spread over.
const span = 200 * 24 * time.Hour
