package coach

import (
	"encoding/json"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// lessonReport tells how many of the learners whom a lesson is assigned to completed each resource.
// kolibri/plugins/coach/serializers.py: LessonReportSerializer
type lessonReport struct {
	ID       string             `json:"id"`
	Title    string             `json:"title"`
	Progress []resourceProgress `json:"progress"`
	Total    int64              `json:"total_learners"`

	resources string
}

type resourceProgress struct {
	Node      string `json:"contentnode_id"`
	Completed int64  `json:"num_learners_completed"`
}

// assigned is who has the lessons that a condition chooses, some more than once.
const assigned = `FROM lessons_lesson l JOIN lessons_lessonassignment a ON a.lesson_id = l.id
	JOIN kolibriauth_membership m ON m.collection_id = a.collection_id JOIN kolibriauth_facilityuser u ON u.id = m.user_id AND u.date_deleted IS NULL WHERE `

// reports reads the reports of lessons that meet a condition on l.
func reports(tx *store.Tx, condition string, args ...any) ([]*lessonReport, error) {
	learners := map[string]map[string]bool{} // by lesson
	all, err := store.Select(tx, func(row store.Scanner) (*lessonReport, error) {
		v := &lessonReport{Progress: []resourceProgress{}}
		err := row.Scan(&v.ID, &v.Title, &v.resources)
		learners[v.ID] = map[string]bool{}
		return v, err
	}, "SELECT l.id, l.title, l.resources FROM lessons_lesson l WHERE "+condition+" ORDER BY l.date_created, l.id", args...)
	if err != nil {
		return nil, err
	}
	err = store.ForEach(tx, func(row store.Scanner) error {
		var lesson, learner string
		err := row.Scan(&lesson, &learner)
		learners[lesson][learner] = true
		return err
	}, "SELECT l.id, u.id "+assigned+condition, args...)
	if err != nil {
		return nil, err
	}
	done := map[work]bool{}
	err = store.ForEach(tx, func(row store.Scanner) error {
		var w work
		err := row.Scan(&w.user, &w.content)
		done[w] = true
		return err
	}, "SELECT user_id, content_id FROM logger_contentsummarylog WHERE progress = 1 AND user_id IN (SELECT u.id "+assigned+condition+")", args...)
	for _, v := range all {
		var resources []struct {
			Node    string `json:"contentnode_id"`
			Content string `json:"content_id"`
		}
		// resources of another shape, which a peer may have sent, name none
		_ = json.Unmarshal([]byte(v.resources), &resources)
		if v.Total = int64(len(learners[v.ID])); v.Total == 0 {
			continue
		}
		for _, n := range resources {
			p := resourceProgress{Node: n.Node}
			for learner := range learners[v.ID] {
				if done[work{learner, n.Content}] {
					p.Completed++
				}
			}
			v.Progress = append(v.Progress, p)
		}
	}
	return all, err
}

// lessonReports answers with the reports of all lessons, to those who coach the whole facility.
// kolibri/plugins/coach/api.py: LessonReportViewset
func (c *Coach) lessonReports(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	if err := coaching(r, p.FacilityID); err != nil {
		return nil, err
	}
	return reports(r.Tx, "1 = 1")
}

func (c *Coach) lessonReport(r *api.Request) (any, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	id, _ := api.ParseUUID(r.Param("pk"))
	class, err := classOf(r.Tx, "lessons_lesson", id)
	if err != nil {
		return nil, err
	}
	if class == "" {
		return nil, r.NotFound()
	}
	if err := coaching(r, class); err != nil {
		return nil, err
	}
	found, err := reports(r.Tx, "l.id = ?", id)
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// classOf is the collection that a lesson or quiz was made for; empty for an unknown one.
func classOf(tx *store.Tx, table, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	found, err := tx.Strings("SELECT collection_id FROM "+table+" WHERE id = ?", id)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0], nil
}
