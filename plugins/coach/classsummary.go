package coach

import (
	"encoding/json"
	"errors"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/exams"
	"kolibri/core/lessons"
	"kolibri/store"
)

// coaching answers 403 unless the requesting person coaches or administers a collection.
// kolibri/plugins/coach/class_summary_api.py: ClassSummaryPermissions
func coaching(r *api.Request, collection string) error {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return err
	}
	id, ok := api.ParseUUID(collection)
	if ok {
		ok, err = p.HasRoleForCollection(r.Tx, id, auth.Admin, auth.Coach)
	}
	if err == nil && !ok {
		err = r.Forbidden()
	}
	return err
}

// user is a learner or coach of a class.
type user struct {
	ID       string  `json:"id"`
	Username string  `json:"username"`
	Pictures *string `json:"picture_password"`
	Name     string  `json:"name"`
}

// group is a group of a class, be it made by the coach or for one lesson, quiz or course.
type group struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Members []string `json:"member_ids"`
}

// resource is a content node that lessons and quizzes use.
type resource struct {
	Available bool            `json:"available"`
	ContentID string          `json:"content_id"`
	Title     string          `json:"title"`
	Kind      string          `json:"kind"`
	ChannelID string          `json:"channel_id"`
	Options   json.RawMessage `json:"options"`
	NodeID    string          `json:"node_id"`
}

// used is what the summary adds to a lesson or quiz.
type used struct {
	NodeIDs []string `json:"node_ids"`
	Groups  []string `json:"groups"`
	Missing bool     `json:"missing_resource"`
}

type summaryLesson struct {
	*lessons.Lesson
	used
}

type summaryExam struct {
	*exams.Exam
	used
}

// summary is a class with everything that its coach's pages show.
type summary struct {
	ID            string           `json:"id"`
	FacilityID    string           `json:"facility_id"`
	Pictures      json.RawMessage  `json:"picture_password_settings"`
	Name          string           `json:"name"`
	Coaches       []user           `json:"coaches"`
	Learners      []user           `json:"learners"`
	Groups        []*group         `json:"groups"`
	AdHoc         []*group         `json:"adhoclearners"`
	Exams         []summaryExam    `json:"exams"`
	ExamStatus    []*examStatus    `json:"exam_learner_status"`
	Content       []*resource      `json:"content"`
	ContentStatus []*contentStatus `json:"content_learner_status"`
	Lessons       []summaryLesson  `json:"lessons"`
}

// classSummary answers with all that is known of a class.
// kolibri/plugins/coach/class_summary_api.py: ClassSummaryViewSet
func (c *Coach) classSummary(r *api.Request) (any, error) {
	if err := coaching(r, r.Param("pk")); err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	s, err := readClass(r, id)
	if err != nil {
		return nil, err
	}
	query := r.Query()
	clear(query)
	query.Set("collection", id)
	of := r.WithQuery(query)
	found, err := lessons.List(of)
	if err != nil {
		return nil, err
	}
	quizzes, err := exams.List(of)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for _, v := range found {
		s.Lessons = append(s.Lessons, summaryLesson{v, used{v.Nodes(), others(v.Assignments, id), false}})
		nodes = append(nodes, v.Nodes()...)
	}
	for _, v := range quizzes {
		exercises := slices.DeleteFunc(v.Exercises(), func(id string) bool { return id == "" })
		s.Exams = append(s.Exams, summaryExam{v, used{append([]string{}, exercises...), others(v.Assignments, id), false}})
		nodes = append(nodes, exercises...)
	}
	if err := s.readContent(r.Tx, nodes); err != nil {
		return nil, err
	}
	return s, s.readStatus(r.Tx)
}

// readClass reads a class with its people and groups.
func readClass(r *api.Request, id string) (*summary, error) {
	s := &summary{ID: id, Exams: []summaryExam{}, Lessons: []summaryLesson{}, Groups: []*group{}, AdHoc: []*group{}}
	var pictures *string
	err := r.Tx.QueryRow(`SELECT c.name, c.parent_id, d.picture_password_settings FROM kolibriauth_collection c
		JOIN kolibriauth_facilitydataset d ON d.id = c.dataset_id WHERE c.kind = ? AND c.id = ?`, auth.KindClassroom, id).Scan(&s.Name, &s.FacilityID, &pictures)
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	s.Pictures = api.Raw("")
	if pictures != nil {
		s.Pictures = api.Raw(*pictures)
	}
	s.Coaches, err = readUsers(r.Tx, "SELECT user_id FROM kolibriauth_role WHERE collection_id = ? AND kind = ?", id, auth.Coach)
	if err != nil {
		return nil, err
	}
	s.Learners, err = readUsers(r.Tx, "SELECT user_id FROM kolibriauth_membership WHERE collection_id = ?", id)
	if err != nil {
		return nil, err
	}
	return s, s.readGroups(r.Tx)
}

// readUsers reads those of the users whose ids a query finds that are not deleted.
func readUsers(tx *store.Tx, ids string, args ...any) ([]user, error) {
	return store.Select(tx, func(row store.Scanner) (u user, err error) {
		return u, row.Scan(&u.ID, &u.Username, &u.Pictures, &u.Name)
	}, "SELECT id, username, picture_password, full_name FROM kolibriauth_facilityuser WHERE date_deleted IS NULL AND id IN ("+ids+") ORDER BY id", args...)
}

func (s *summary) readGroups(tx *store.Tx) error {
	last := &group{}
	return store.ForEach(tx, func(row store.Scanner) error {
		var id, name, kind string
		var member *string
		if err := row.Scan(&id, &name, &kind, &member); err != nil {
			return err
		}
		if last.ID != id {
			last = &group{id, name, []string{}}
			if kind == auth.KindAdHocGroup {
				s.AdHoc = append(s.AdHoc, last)
			} else {
				s.Groups = append(s.Groups, last)
			}
		}
		if member != nil {
			last.Members = append(last.Members, *member)
		}
		return nil
	}, `SELECT c.id, c.name, c.kind, u.id FROM kolibriauth_collection c LEFT JOIN kolibriauth_membership m ON m.collection_id = c.id
		LEFT JOIN kolibriauth_facilityuser u ON u.id = m.user_id AND u.date_deleted IS NULL WHERE c.parent_id = ? AND c.kind IN (?, ?) ORDER BY c.id, u.id`,
		s.ID, auth.KindLearnerGroup, auth.KindAdHocGroup)
}

// others are the collections without the class itself.
func others(collections []string, class string) []string {
	rest := []string{}
	for _, id := range collections {
		if id != class {
			rest = append(rest, id)
		}
	}
	return rest
}

// readContent reads the nodes that are used, and finds out for which lessons and quizzes some are
// not on the device.
func (s *summary) readContent(tx *store.Tx, nodes []string) error {
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	s.Content = []*resource{}
	here := map[string]bool{}
	for chunk := range slices.Chunk(nodes, many) {
		some, err := store.Select(tx, func(row store.Scanner) (*resource, error) {
			v := &resource{}
			var options *string
			err := row.Scan(&v.Available, &v.ContentID, &v.Title, &v.Kind, &v.ChannelID, &options, &v.NodeID)
			if v.Options = api.Raw("{}"); options != nil {
				v.Options = api.Raw(*options)
			}
			here[v.NodeID] = v.Available
			return v, err
		}, "SELECT available, content_id, title, kind, channel_id, options, id FROM content_contentnode WHERE id IN ? ORDER BY lft", store.In(chunk))
		if err != nil {
			return err
		}
		s.Content = append(s.Content, some...)
	}
	missing := func(ids []string) bool {
		return slices.ContainsFunc(ids, func(id string) bool { return !here[id] })
	}
	for i := range s.Lessons {
		s.Lessons[i].Missing = missing(s.Lessons[i].NodeIDs)
	}
	for i := range s.Exams {
		s.Exams[i].Missing = missing(s.Exams[i].NodeIDs)
	}
	return nil
}

// readStatus finds out how far the learners are.
func (s *summary) readStatus(tx *store.Tx) (err error) {
	var quizzes, taught []string
	for _, v := range s.Exams {
		if id, ok := v.ID.(string); ok {
			quizzes = append(quizzes, id)
		}
	}
	if s.ExamStatus, err = examStatuses(tx, quizzes); err != nil {
		return err
	}
	nodes := map[string][]string{}
	contents := map[string]string{}
	for _, v := range s.Content {
		contents[v.NodeID] = v.ContentID
	}
	for _, v := range s.Lessons {
		taught = append(taught, v.ID)
		for _, node := range v.NodeIDs {
			if content, known := contents[node]; known && !slices.Contains(nodes[content], node) {
				nodes[content] = append(nodes[content], node)
			}
		}
	}
	s.ContentStatus, err = contentStatuses(tx, progress{
		nodes: nodes, learners: "SELECT user_id FROM kolibriauth_membership WHERE collection_id = ?", of: []any{s.ID}, tries: true,
		told: "classroom_id = ? AND lesson_id IN ?", toldArgs: []any{s.ID, store.In(taught)},
	})
	return err
}
