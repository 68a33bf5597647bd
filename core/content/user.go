package content

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// userQuery is the query of a request about what a person did.
// kolibri/core/content/api.py: UserContentNodeFilter
func (c *Content) userQuery(r *api.Request) (*api.Query, ranking, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, byLeft, err
	}
	q, by := available(), byLeft
	if order := r.Query().Get("ordering"); strings.TrimPrefix(order, "-") == "last_interacted" {
		q.Join("LEFT JOIN logger_contentsummarylog i ON i.content_id = n.content_id AND i.user_id = ?", p.ID)
		by = lastInteracted("i.end_timestamp", strings.HasPrefix(order, "-"))
	}
	if _, err := c.filter(r, q); err != nil {
		return nil, by, err
	}
	q.Order = by.order()
	lesson, err := r.UUIDParam("lesson")
	if err != nil {
		return nil, by, err
	}
	if lesson != "" {
		err = ofLesson(r.Tx, q, p, lesson)
	}
	if _, given := r.BoolParam("resume"); given {
		q.Where("n.content_id IN (SELECT s.content_id FROM logger_contentsummarylog s WHERE s.user_id = ? AND s.progress > 0 AND s.progress <> 1)", p.ID)
	}
	if _, given := r.BoolParam("next_steps"); given && err == nil {
		err = nextSteps(r.Tx, q, p)
	}
	if _, given := r.BoolParam("popular"); given && err == nil {
		err = c.popular(r.Tx, q)
	}
	return q, by, err
}

// ofLesson lets the resources of a lesson through that is assigned to the person.
func ofLesson(tx *store.Tx, q *api.Query, p *auth.Person, lesson string) error {
	found, err := tx.Strings(`SELECT l.resources FROM lessons_lesson l WHERE l.id = ? AND l.is_active = TRUE AND EXISTS (
		SELECT 1 FROM lessons_lessonassignment a JOIN kolibriauth_membership m ON m.collection_id = a.collection_id
		WHERE a.lesson_id = l.id AND m.user_id = ?)`, lesson, p.ID)
	if err != nil {
		return err
	}
	ids := []string{}
	if len(found) > 0 {
		var resources []struct {
			Node string `json:"contentnode_id"`
		}
		if err := json.Unmarshal([]byte(found[0]), &resources); err != nil {
			return err
		}
		for _, resource := range resources {
			ids = append(ids, resource.Node)
		}
	}
	q.Where("n.id IN ?", store.In(ids))
	return nil
}

// nextSteps lets through what follows resources that the person has completed: what they are a
// prerequisite of, and what stands to their right. What was begun is for others to recommend.
func nextSteps(tx *store.Tx, q *api.Query, p *auth.Person) error {
	done := q.Clone().Where("n.content_id IN (SELECT s.content_id FROM logger_contentsummarylog s WHERE s.user_id = ? AND s.progress = 1)", p.ID)
	done.Order = ""
	text, args := done.SQL("n.id, n.rght")
	type completed struct {
		id    string
		right int64
	}
	nodes, err := store.Select(tx, func(row store.Scanner) (v completed, err error) { return v, row.Scan(&v.id, &v.right) }, text, args...)
	if err != nil {
		return err
	}
	ids, places := []string{}, []int64{}
	for _, n := range nodes {
		ids, places = append(ids, n.id), append(places, n.right+1)
	}
	slices.Sort(places)
	q.Where("NOT n.content_id IN (SELECT s.content_id FROM logger_contentsummarylog s WHERE s.user_id = ?)", p.ID)
	q.Where("n.lft IN ? OR n.id IN (SELECT x.from_contentnode_id FROM content_contentnode_has_prerequisite x WHERE x.to_contentnode_id IN ?)",
		store.In(slices.Compact(places)), store.In(ids))
	if !p.IsSuperuser && len(p.Roles) == 0 {
		q.Where("n.coach_content = FALSE")
	}
	return nil
}

// popular lets through what was opened most; while little was opened, some resources by chance.
func (c *Content) popular(tx *store.Tx, q *api.Query) error {
	const enough, most, chance = 50, 20, 25
	opened, err := tx.Int("SELECT COUNT(*) FROM (SELECT 1 FROM logger_contentsessionlog LIMIT ?) s", enough)
	if err != nil {
		return err
	}
	if opened < enough {
		ids, err := c.sample(tx, q.Clone().Where("n.kind <> ?", Topic), chance)
		q.Where("n.id IN ?", store.In(ids))
		return err
	}
	ids, err := tx.Strings(`SELECT s.content_id FROM logger_contentsessionlog s
		WHERE s.content_id IN (SELECT z.content_id FROM content_contentnode z WHERE z.available = TRUE)
		GROUP BY s.content_id ORDER BY COUNT(*) DESC, s.content_id LIMIT ?`, most)
	q.Where("n.content_id IN ?", store.In(ids))
	return err
}

// userNodes answers with nodes by what the person did with them.
// kolibri/core/content/api.py: UserContentNodeViewset
func (c *Content) userNodes(r *api.Request) (any, error) {
	q, by, err := c.userQuery(r)
	if err != nil {
		return nil, err
	}
	size := pageSize(r)
	if size == 0 {
		return c.nodes(r.Tx, q, "")
	}
	ids, next, err := page(r, q, by, size)
	if err != nil {
		return nil, err
	}
	nodes, err := c.nodes(r.Tx, everything().Where("n.id IN ?", store.In(ids)), "")
	if err != nil {
		return nil, err
	}
	slices.SortFunc(nodes, func(a, b *Node) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return Page{More: more(r, next), Results: nodes}, nil
}

// Resumable are the resources that the person of a request began and did not finish, the latest
// first, and how far he is with each. Courses are resumed in their own way and left out.
// kolibri/plugins/learn/viewsets.py: LearnHomePageHydrationView
func (c *Content) Resumable(r *api.Request) (Page, []Progress, error) {
	const count = 12
	r = r.WithQuery(url.Values{"resume": {"true"}, "max_results": {strconv.Itoa(count)}, "ordering": {"-last_interacted"}, "exclude_course_ancestry": {"true"}})
	nodes, err := c.userNodes(r)
	if err != nil {
		return Page{}, nil, err
	}
	page := nodes.(Page)
	if page.More != nil {
		page.More["resume"], page.More["max_results"], page.More["exclude_course_ancestry"] = true, count, true
	}
	progress, err := c.progressList(r)
	if err != nil {
		return Page{}, nil, err
	}
	return page, progress.([]Progress), nil
}

// ProgressByID is how far the person of a request is with some available nodes, by their content ids.
func (c *Content) ProgressByID(r *api.Request, ids []string) (map[string]api.Float, error) {
	byContent := map[string]api.Float{}
	for _, some := range chunks(ids) {
		found, err := progressOf(r, available().Where("n.id IN ?", store.In(some)))
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			byContent[p.ContentID] = p.Progress
		}
	}
	return byContent, nil
}

// Progress is how far the person of a request is with a resource, and with its last try.
type Progress struct {
	ContentID string    `json:"content_id"`
	Progress  api.Float `json:"progress"`
	Answered  *int64    `json:"num_question_answered"`
	Correct   *int64    `json:"num_question_answered_correctly"`
	Questions *int64    `json:"total_questions"`
}

// progressList answers how far the person is with the nodes that the filters let through: in the
// same pages as the nodes' own list, though without its frame.
// kolibri/core/content/api.py: ContentNodeProgressViewset
func (c *Content) progressList(r *api.Request) (any, error) {
	q, by, err := c.userQuery(r)
	if err != nil {
		return nil, err
	}
	if size := pageSize(r); size > 0 {
		ids, _, err := page(r, q, by, size)
		if err != nil {
			return nil, err
		}
		q = everything().Where("n.id IN ?", store.In(ids))
	}
	return progressOf(r, q)
}

func (c *Content) progressTree(r *api.Request) (any, error) {
	_, ids, err := c.treeIDs(r)
	if err != nil {
		return nil, err
	}
	return progressOf(r, everything().Where("n.id IN ?", store.In(ids)))
}

func progressOf(r *api.Request, q *api.Query) ([]Progress, error) {
	p, err := auth.UserOf(r)
	if err != nil || p.IsAnonymous() {
		return []Progress{}, err
	}
	q = q.Clone().Where("n.kind <> ?", Topic)
	q.Order = ""
	contents, args := q.SQL("n.content_id")
	const lastTry = `(SELECT COUNT(a.id) FROM logger_attemptlog a WHERE a.masterylog_id = (
		SELECT m.id FROM logger_masterylog m JOIN logger_contentsummarylog o ON o.id = m.summarylog_id
		WHERE m.user_id = ? AND o.content_id = s.content_id ORDER BY m.end_timestamp DESC LIMIT 1)`
	const tried = `EXISTS (SELECT 1 FROM logger_masterylog m JOIN logger_contentsummarylog o ON o.id = m.summarylog_id WHERE m.user_id = ? AND o.content_id = s.content_id)`
	text := `SELECT s.content_id, s.progress, CASE WHEN ` + tried + ` THEN ` + lastTry + `) END,
		CASE WHEN ` + tried + ` THEN ` + lastTry + ` AND a.correct = 1) END,
		(SELECT x.number_of_assessments FROM content_contentnode z LEFT JOIN content_assessmentmetadata x ON x.contentnode_id = z.id
			WHERE z.content_id = s.content_id ORDER BY z.tree_id, z.lft LIMIT 1)
		FROM logger_contentsummarylog s WHERE s.user_id = ? AND s.content_id IN (` + contents + `)`
	return store.Select(r.Tx, func(row store.Scanner) (v Progress, err error) {
		var progress float64
		err = row.Scan(&v.ContentID, &progress, &v.Answered, &v.Correct, &v.Questions)
		v.Progress = api.Float(progress)
		return v, err
	}, text, append([]any{p.ID, p.ID, p.ID, p.ID, p.ID}, args...)...)
}
