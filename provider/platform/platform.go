// Package platform is the one interface that every learning platform is spoken to by: six kinds of
// objects, what can be asked of them, and the ways in which a platform fails.
package platform

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Object is a kind of things a platform has; its text is the last part of the API's address.
type Object string

// The kinds of objects.
const (
	Users      Object = "users"
	Courses    Object = "courses"
	Content    Object = "content"
	Milestones Object = "milestones"
	Activity   Object = "activity"
	Enrolments Object = "enrolments"
)

// Objects are all kinds.
var Objects = []Object{Users, Courses, Content, Milestones, Activity, Enrolments}

// User is a person's account. Fields that a platform does not know are empty.
type User struct {
	ID         string     `json:"id"`
	Username   string     `json:"username"`
	Name       string     `json:"name"`
	Email      string     `json:"email"`
	Identifier string     `json:"identifier"` // the number that the school gave
	Role       string     `json:"role"`       // learner, coach or admin
	JoinedAt   *time.Time `json:"joined_at"`
}

// Course is what people are taught by: a channel or a class of Kolibri, a course of Canvas.
type Course struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind"` // channel, class or course
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Language    string     `json:"language"`
	IconURL     string     `json:"icon_url"` // an address, or the picture itself as a data: URL, which the service hosts
	UpdatedAt   *time.Time `json:"updated_at"`
}

// Item is one resource or folder of a course.
type Item struct {
	ID          string `json:"id"`
	CourseID    string `json:"course_id"`
	ParentID    string `json:"parent_id"`
	ContentID   string `json:"content_id"` // what milestones and activity refer to: the same wherever the resource is used
	Title       string `json:"title"`
	Kind        string `json:"kind"` // topic, video, document, exercise, ...
	Description string `json:"description"`
	Language    string `json:"language"`
	Author      string `json:"author"`
	Files       []File `json:"files"`
}

// File is one file of a resource.
type File struct {
	URL       string `json:"url"`
	Extension string `json:"extension"`
	Preset    string `json:"preset"`
	Size      int64  `json:"size"`      // bytes
	Checksum  string `json:"checksum"`  // MD5 in hex, or empty
	Thumbnail bool   `json:"thumbnail"` // a picture that stands for the resource
}

// Milestone is how far somebody came with a resource.
type Milestone struct {
	ID          string     `json:"id"`
	UserID      string     `json:"user_id"`
	CourseID    string     `json:"course_id"`
	ContentID   string     `json:"content_id"`
	Title       string     `json:"title"`
	Kind        string     `json:"kind"`
	Progress    float64    `json:"progress"` // 0 to 1
	Seconds     float64    `json:"seconds"`  // spent on it
	StartedAt   *time.Time `json:"started_at"`
	UpdatedAt   *time.Time `json:"updated_at"`
	CompletedAt *time.Time `json:"completed_at"`
}

// Session is one time that somebody spent with a resource: an element of activity.
type Session struct {
	ID        string     `json:"id"`
	UserID    string     `json:"user_id"`
	CourseID  string     `json:"course_id"`
	ContentID string     `json:"content_id"`
	Title     string     `json:"title"`
	Kind      string     `json:"kind"`
	Progress  float64    `json:"progress"` // 0 to 1
	Seconds   float64    `json:"seconds"`
	StartedAt *time.Time `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// Enrolment is somebody's place in a course.
type Enrolment struct {
	ID       string `json:"id"`
	UserID   string `json:"user_id"`
	CourseID string `json:"course_id"`
	Role     string `json:"role"` // learner or coach
}

// Query is what is asked of a list.
type Query struct {
	// User is whose session is used where a platform has one for each; empty is the provider's own.
	User string
	// Size is about how many items a page should have.
	Size int
	// Filter has values by name; see Filters. A platform may leave filtering to its caller.
	Filter map[string]string
}

// Platform is one provider. Its methods are safe for concurrent use and return the errors below.
type Platform interface {
	// Page hands the items of one page to yield, in the platform's order, and returns the token of the next
	// one, empty at the end. The first page has the empty token. An error of yield ends it.
	Page(ctx context.Context, o Object, q Query, token string, yield func(item any) error) (next string, err error)
	// Create makes an object and returns it.
	Create(ctx context.Context, o Object, user string, fields Fields) (any, error)
	// Delete removes an object.
	Delete(ctx context.Context, o Object, user, id string) error
	// Fetch gets a file of the provider, such as one that a File names. The caller closes the body.
	Fetch(ctx context.Context, address string, header http.Header) (*http.Response, error)
	// Close ends sessions and their goroutines.
	Close()
}

// Fields are those of an object to be made.
type Fields struct {
	Username   string `json:"username"`
	Name       string `json:"name"`
	Password   string `json:"password"`
	Email      string `json:"email"`
	Identifier string `json:"identifier"`
	UserID     string `json:"user_id"`
	CourseID   string `json:"course_id"`
	Role       string `json:"role"`
}

// The ways in which a platform fails.
var (
	// ErrCredentials: the platform does not know the account, or its password has changed.
	ErrCredentials = errors.New("the provider refuses the credentials")
	// ErrConsent: nobody has allowed access to the account yet (OAuth).
	ErrConsent = errors.New("this user has not given access to the provider yet")
	// ErrForbidden: the account may not do this.
	ErrForbidden = errors.New("the provider does not let this account do that")
	// ErrNotFound: there is no such object.
	ErrNotFound = errors.New("the provider has no such object")
	// ErrUnavailable: the platform cannot be reached, or fails itself.
	ErrUnavailable = errors.New("the provider does not answer")
	// ErrMalformed: the platform answers what is no answer.
	ErrMalformed = errors.New("the provider answers something that is not understood")
	// ErrNotSupported: the platform has no way to do this.
	ErrNotSupported = errors.New("this provider cannot do that")
	// ErrInvalid: the platform refuses the values.
	ErrInvalid = errors.New("the provider refuses these values")
)

// Invalid is ErrInvalid with the platform's reasons, which are words such as USERNAME_ALREADY_EXISTS.
type Invalid struct{ Reasons []string }

// Error implements error.
func (i *Invalid) Error() string { return ErrInvalid.Error() + ": " + strings.Join(i.Reasons, ", ") }

// Unwrap returns ErrInvalid.
func (i *Invalid) Unwrap() error { return ErrInvalid }

// Throttled is a platform's, or this service's, wish to be asked again later.
type Throttled struct {
	After time.Duration
	Err   error
}

// Error implements error.
func (t *Throttled) Error() string {
	return fmt.Sprintf("%v: ask again in %d s", t.Err, int(t.After.Seconds()+1))
}

// Unwrap returns the cause.
func (t *Throttled) Unwrap() error { return t.Err }

// ErrThrottled is the cause of a Throttled that a platform asked for.
var ErrThrottled = errors.New("the provider asks for fewer requests")
