package learn

import (
	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// state answers what the plugin's pages need to know of a visitor at once.
// kolibri/plugins/learn/viewsets.py: LearnStateView
func (l *Learn) state(r *api.Request) (any, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	var answer struct {
		InClasses bool `json:"in_classes"`
		Download  bool `json:"can_download_externally"`
	}
	answer.Download = true
	dataset := p.DatasetID
	if p.IsAnonymous() {
		device, err := settings.Get(r.Tx)
		if err != nil {
			return nil, err
		}
		found, err := r.Tx.Strings("SELECT dataset_id FROM kolibriauth_collection WHERE id = ?", device.DefaultFacility)
		if err != nil || len(found) == 0 {
			return answer, err
		}
		dataset = found[0]
	} else {
		classes, err := p.Memberships(r.Tx)
		if err != nil {
			return nil, err
		}
		answer.InClasses = len(classes) > 0
	}
	answer.Download, err = r.Tx.Exists("SELECT 1 FROM kolibriauth_facilitydataset WHERE id = ? AND show_download_button_in_learn = TRUE", dataset)
	return answer, err
}

// classroom is a class of the learner who asks, with all that is assigned to him in it.
type classroom struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Exams   []*exam   `json:"exams"`
	Lessons []*lesson `json:"lessons"`
	Courses []*course `json:"courses"`
}

// classroomsOf reads the classes of a person, or one of them.
// kolibri/plugins/learn/viewsets.py: LearnerClassroomViewset
func (l *Learn) classroomsOf(r *api.Request, p *auth.Person, only string) ([]*classroom, error) {
	condition, args := "", []any{p.ID}
	if only != "" {
		condition, args = " AND c.id = ?", append(args, only)
	}
	classes, err := store.Select(r.Tx, func(row store.Scanner) (*classroom, error) {
		v := &classroom{Exams: []*exam{}, Lessons: []*lesson{}, Courses: []*course{}}
		return v, row.Scan(&v.ID, &v.Name)
	}, `SELECT c.id, c.name FROM kolibriauth_collection c JOIN kolibriauth_membership m ON m.collection_id = c.id
		WHERE c.kind = 'classroom' AND m.user_id = ?`+condition+" ORDER BY c.id", args...)
	if err != nil || len(classes) == 0 {
		return classes, err
	}
	byID, ids := map[string]*classroom{}, []string{}
	for _, c := range classes {
		byID[c.ID], ids = c, append(ids, c.ID)
	}
	lessons, err := l.lessonsOf(r, p, "l.collection_id IN ?", store.In(ids))
	if err != nil {
		return nil, err
	}
	for _, v := range lessons {
		v.Classroom = nil
		byID[v.Collection].Lessons = append(byID[v.Collection].Lessons, v)
	}
	exams, err := examsOf(r, p, ids)
	if err != nil {
		return nil, err
	}
	for _, v := range exams {
		byID[v.Collection].Exams = append(byID[v.Collection].Exams, v)
	}
	courses, err := coursesOf(r, p, "s.collection_id IN ?", store.In(ids))
	for _, v := range courses {
		v.Classroom = nil
		byID[v.Collection].Courses = append(byID[v.Collection].Courses, v)
	}
	return classes, err
}

func (l *Learn) classrooms(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	return l.classroomsOf(r, p, "")
}

func (l *Learn) classroom(r *api.Request) (any, error) {
	p, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok {
		return nil, r.NotFound()
	}
	found, err := l.classroomsOf(r, p, id)
	if err == nil && len(found) == 0 {
		err = r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// home answers with all that the plugin's first page shows: classes, courses, and, unless a lesson
// waits to be gone on with, what the learner began elsewhere. A guest has none of it.
// kolibri/plugins/learn/viewsets.py: LearnHomePageHydrationView
func (l *Learn) home(r *api.Request) (any, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Classrooms []*classroom       `json:"classrooms"`
		Courses    []*course          `json:"courses"`
		Resumable  any                `json:"resumable_resources"`
		Progress   []content.Progress `json:"resumable_resources_progress"`
	}
	answer.Classrooms, answer.Courses, answer.Resumable, answer.Progress = []*classroom{}, []*course{}, []string{}, []content.Progress{}
	if p.IsAnonymous() {
		return answer, nil
	}
	if answer.Classrooms, err = l.classroomsOf(r, p, ""); err != nil {
		return nil, err
	}
	for _, c := range answer.Classrooms {
		answer.Courses = append(answer.Courses, c.Courses...)
	}
	if !begun(answer.Classrooms) {
		answer.Resumable, answer.Progress, err = l.content.Resumable(r)
	}
	return answer, err
}

// begun tells whether a lesson of some class was begun and not finished.
func begun(classes []*classroom) bool {
	for _, c := range classes {
		for _, v := range c.Lessons {
			for _, resource := range v.Resources {
				if done, _ := resource["progress"].(api.Float); done > 0 && done < 1 {
					return true
				}
			}
		}
	}
	return false
}
