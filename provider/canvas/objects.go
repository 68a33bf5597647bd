package canvas

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/upstream"
)

// id is a number, or the text of one where it is too long for a browser's numbers.
type id string

// UnmarshalJSON implements json.Unmarshaler.
func (i *id) UnmarshalJSON(text []byte) error {
	text = bytes.Trim(text, `"`)
	if string(text) == "null" {
		*i = ""
		return nil
	}
	if !isID(string(text)) {
		return fmt.Errorf("%w: an id", platform.ErrMalformed)
	}
	*i = id(text)
	return nil
}

type user struct {
	ID        id
	Name      string
	LoginID   string `json:"login_id"`
	SISUserID string `json:"sis_user_id"`
	Email     string
	CreatedAt *time.Time `json:"created_at"`
}

func (u user) common() platform.User {
	return platform.User{ID: string(u.ID), Username: u.LoginID, Name: u.Name, Email: u.Email, Identifier: u.SISUserID, JoinedAt: u.CreatedAt}
}

// users are those of the account. Canvas has roles in courses, not of people.
func (c *Canvas) users(ctx context.Context, q platform.Query, token string, yield func(any) error) (string, error) {
	query := url.Values{"per_page": {pageSize(q)}, "include[]": {"email"}}
	if len(q.Filter["search"]) >= 2 { // fewer letters are refused
		query.Set("search_term", q.Filter["search"])
	}
	at, err := c.at(token, "accounts/"+url.PathEscape(c.account.AccountID)+"/users", query)
	if err != nil {
		return "", err
	}
	return list(ctx, c, q.User, at, func(u user) error { return yield(u.common()) })
}

type course struct {
	ID          id
	Name        string
	Description string `json:"public_description"`
	Locale      string
	Image       string     `json:"image_download_url"`
	CreatedAt   *time.Time `json:"created_at"`
	// Restricted courses have nothing but an id.
	Restricted bool `json:"access_restricted_by_date"`
}

func (v course) common() platform.Course {
	return platform.Course{ID: string(v.ID), Kind: "course", Name: v.Name, Description: v.Description, Language: v.Locale, IconURL: v.Image, UpdatedAt: v.CreatedAt}
}

// courses are the account's, or a user's own in that user's session.
func (c *Canvas) courses(ctx context.Context, q platform.Query, token, size string, each func(course) error) (string, error) {
	path := "courses"
	if q.User == "" {
		path = "accounts/" + url.PathEscape(c.account.AccountID) + "/courses"
	}
	at, err := c.at(token, path, url.Values{"per_page": {size}, "include[]": {"public_description", "course_image"}})
	if err != nil {
		return "", err
	}
	return list(ctx, c, q.User, at, func(v course) error {
		if v.Restricted {
			return nil
		}
		return each(v)
	})
}

type module struct {
	ID    id
	Name  string
	Items *[]moduleItem
}

type moduleItem struct {
	ID      id
	Title   string
	Type    string
	Content id     `json:"content_id"`
	URL     string `json:"html_url"`
}

// kinds are the types of a module's items, by the words that Kolibri has for such things.
var kinds = map[string]string{"File": "document", "Page": "html5", "Quiz": "exercise", "Assignment": "exercise", "SubHeader": "topic"}

// content are a course's modules with their items.
func (c *Canvas) content(ctx context.Context, q platform.Query, courseID string, yield func(any) error) error {
	each := func(m module, i moduleItem) error {
		kind := kinds[i.Type]
		if kind == "" {
			kind = strings.ToLower(i.Type)
		}
		contentID := i.Content
		if contentID == "" {
			contentID = i.ID
		}
		item := platform.Item{ID: "item-" + string(i.ID), CourseID: courseID, ParentID: "module-" + string(m.ID), ContentID: string(contentID), Title: i.Title,
			Kind: kind, Files: []platform.File{}}
		if i.URL != "" {
			item.Files = append(item.Files, platform.File{URL: i.URL})
		}
		return yield(item)
	}
	path := "courses/" + courseID + "/modules"
	return all(ctx, c, q.User, path, url.Values{"include[]": {"items"}}, func(m module) error {
		if err := yield(platform.Item{ID: "module-" + string(m.ID), CourseID: courseID, ContentID: string(m.ID), Title: m.Name, Kind: "topic", Files: []platform.File{}}); err != nil {
			return err
		}
		if m.Items == nil { // Canvas leaves them out where there are many
			return all(ctx, c, q.User, path+"/"+string(m.ID)+"/items", url.Values{}, func(i moduleItem) error { return each(m, i) })
		}
		for _, i := range *m.Items {
			if err := each(m, i); err != nil {
				return err
			}
		}
		return nil
	})
}

type enrolment struct {
	ID       id
	UserID   id `json:"user_id"`
	CourseID id `json:"course_id"`
	Type     string
	Last     *time.Time `json:"last_activity_at"`
	Created  *time.Time `json:"created_at"`
	Seconds  float64    `json:"total_activity_time"`
}

func (e enrolment) common() platform.Enrolment {
	role := "coach" // teachers, their assistants, designers
	if e.Type == "StudentEnrollment" || e.Type == "ObserverEnrollment" {
		role = "learner"
	}
	return platform.Enrolment{ID: string(e.CourseID) + "-" + string(e.ID), UserID: string(e.UserID), CourseID: string(e.CourseID), Role: role}
}

// activity is what Canvas sums up for an enrolment.
func (e enrolment) activity(yield func(any) error) error {
	if e.Last == nil {
		return nil
	}
	return yield(platform.Session{ID: string(e.CourseID) + "-" + string(e.ID), UserID: string(e.UserID), CourseID: string(e.CourseID), Kind: "course",
		Seconds: e.Seconds, StartedAt: e.Created, EndedAt: e.Last})
}

func (c *Canvas) enrolments(ctx context.Context, q platform.Query, courseID string, each func(enrolment) error) error {
	query := url.Values{"state[]": {"active"}}
	if user := q.Filter["user_id"]; isID(user) {
		query.Set("user_id", user)
	}
	return all(ctx, c, q.User, "courses/"+courseID+"/enrollments", query, each)
}

type submission struct {
	ID         id
	UserID     id `json:"user_id"`
	Assignment struct {
		ID     id
		Name   string
		Points float64 `json:"points_possible"`
	}
	Score     *float64
	State     string     `json:"workflow_state"`
	Submitted *time.Time `json:"submitted_at"`
	Graded    *time.Time `json:"graded_at"`
}

// submissions are what learners handed in: the milestones of Canvas.
func (c *Canvas) submissions(ctx context.Context, q platform.Query, courseID string, yield func(any) error) error {
	query := url.Values{"student_ids[]": {"all"}, "include[]": {"assignment"}}
	if user := q.Filter["user_id"]; isID(user) {
		query.Set("student_ids[]", user)
	}
	return all(ctx, c, q.User, "courses/"+courseID+"/students/submissions", query, func(s submission) error {
		if s.State == "unsubmitted" {
			return nil
		}
		m := platform.Milestone{ID: string(s.ID), UserID: string(s.UserID), CourseID: courseID, ContentID: string(s.Assignment.ID), Title: s.Assignment.Name,
			Kind: "exercise", StartedAt: s.Submitted, UpdatedAt: s.Submitted}
		if s.Score != nil && s.Assignment.Points > 0 {
			m.Progress = min(max(*s.Score/s.Assignment.Points, 0), 1)
		}
		if s.State == "graded" {
			m.CompletedAt, m.UpdatedAt = s.Graded, s.Graded
		}
		return yield(m)
	})
}

type pageView struct {
	ID      string
	Created *time.Time `json:"created_at"`
	Seconds float64    `json:"interaction_seconds"`
	URL     string
	Links   struct{ Context id }
	Kind    string `json:"controller"`
}

// pageViews are what one user looked at.
func (c *Canvas) pageViews(ctx context.Context, q platform.Query, user, token string, yield func(any) error) (string, error) {
	if !isID(user) {
		return "", nil
	}
	query := url.Values{"per_page": {pageSize(q)}}
	for ours, theirs := range map[string]string{"since": "start_time", "until": "end_time"} {
		if at := q.Filter[ours]; at != "" {
			query.Set(theirs, at)
		}
	}
	at, err := c.at(token, "users/"+user+"/page_views", query)
	if err != nil {
		return "", err
	}
	return list(ctx, c, q.User, at, func(v pageView) error {
		s := platform.Session{ID: v.ID, UserID: user, CourseID: string(v.Links.Context), Title: v.URL, Kind: v.Kind, Seconds: v.Seconds, StartedAt: v.Created}
		if v.Created != nil {
			end := v.Created.Add(time.Duration(v.Seconds * float64(time.Second)))
			s.EndedAt = &end
		}
		return yield(s)
	})
}

// Create implements platform.Platform.
func (c *Canvas) Create(ctx context.Context, o platform.Object, as string, f platform.Fields) (any, error) {
	type object = map[string]any
	account := "accounts/" + url.PathEscape(c.account.AccountID) + "/"
	switch o {
	case platform.Users:
		var made user
		pseudonym := object{"unique_id": f.Username}
		for name, value := range map[string]string{"password": f.Password, "sis_user_id": f.Identifier} {
			if value != "" {
				pseudonym[name] = value
			}
		}
		body := object{"user": object{"name": f.Name}, "pseudonym": pseudonym}
		if f.Email != "" {
			body["communication_channel"] = object{"type": "email", "address": f.Email}
		}
		err := c.create(ctx, as, account+"users", body, &made)
		return made.common(), err
	case platform.Courses:
		var made course
		err := c.create(ctx, as, account+"courses", object{"course": object{"name": f.Name}}, &made)
		return made.common(), err
	case platform.Enrolments:
		if !isID(f.CourseID) || !isID(f.UserID) {
			return nil, platform.ErrInvalid
		}
		kind := "StudentEnrollment"
		if f.Role == "coach" {
			kind = "TeacherEnrollment"
		}
		var made enrolment
		err := c.create(ctx, as, "courses/"+f.CourseID+"/enrollments", object{"enrollment": object{"user_id": f.UserID, "type": kind, "enrollment_state": "active"}}, &made)
		return made.common(), err
	}
	return nil, platform.ErrNotSupported
}

func (c *Canvas) create(ctx context.Context, as, path string, body any, into any) error {
	a, err := c.do(ctx, as, http.MethodPost, c.client.URL(apiPath+path, nil), body)
	if err != nil {
		return err
	}
	return upstream.Decode(a, into)
}

// Delete implements platform.Platform.
func (c *Canvas) Delete(ctx context.Context, o platform.Object, as, item string) error {
	path, query := "", url.Values{}
	switch o {
	case platform.Users:
		path = "accounts/" + url.PathEscape(c.account.AccountID) + "/users/"
	case platform.Courses:
		path = "courses/"
		query.Set("event", "delete")
	case platform.Enrolments:
		course, rest, _ := strings.Cut(item, "-")
		if !isID(course) {
			return platform.ErrNotFound
		}
		path, item = "courses/"+course+"/enrollments/", rest
		query.Set("task", "delete")
	default:
		return platform.ErrNotSupported
	}
	if !isID(item) {
		return platform.ErrNotFound
	}
	a, err := c.do(ctx, as, http.MethodDelete, c.client.URL(apiPath+path+item, query), nil)
	if err == nil {
		a.Body.Close()
	}
	return err
}
