package api

import (
	"fmt"
	"net/http"
)

// Error ids (kolibri/core/error_constants.py and Django REST framework's codes).
const (
	UsernameAlreadyExists        = "USERNAME_ALREADY_EXISTS"
	UserAlreadyInGroupInClass    = "USER_ALREADY_IN_GROUP_IN_CLASS"
	MissingPassword              = "MISSING_PASSWORD"
	MaxLength                    = "MAX_LENGTH"
	Invalid                      = "INVALID"
	Unique                       = "UNIQUE"
	InvalidNetworkLocationFormat = "INVALID_NETWORK_LOCATION_FORMAT"
	NetworkLocationNotFound      = "NETWORK_LOCATION_NOT_FOUND"
	InvalidKDPRegistrationToken  = "INVALID_KDP_REGISTRATION_TOKEN"
	PasswordNotSpecified         = "PASSWORD_NOT_SPECIFIED"
	InvalidCredentials           = "INVALID_CREDENTIALS"
	InvalidUsername              = "INVALID_USERNAME"
	NotFoundID                   = "NOT_FOUND"
	FacilityDoesNotExist         = "FACILITY_DOES_NOT_EXIST"
	PermissionDeniedID           = "PERMISSION_DENIED"
	NotAuthenticatedID           = "NOT_AUTHENTICATED"
	AuthenticationFailed         = "AUTHENTICATION_FAILED"
	DeviceLimitations            = "DEVICE_LIMITATIONS"
	ShareFileFailed              = "SHARE_FILE_FAILED"
	Required                     = "REQUIRED"
	NullID                       = "NULL"
	Blank                        = "BLANK"
	DoesNotExist                 = "DOES_NOT_EXIST"
	InvalidChoice                = "INVALID_CHOICE"
)

// Item is one error of an answer: an id the front end knows, and what it is about.
type Item struct {
	ID       string         `json:"id"`
	Metadata map[string]any `json:"metadata"`
}

// Error is an answer that is not a success. The server renders Items as a JSON array, else Body as
// it is, else {"detail": Detail}, which are the three shapes that Kolibri uses
// (kolibri/core/utils/exception_handler.py).
type Error struct {
	Status int
	Items  []Item
	Detail string
	Body   any
	HTML   string // a page instead of JSON, for plain views
	Header http.Header
	// Hint tells an operator what to do; it goes to the log only.
	Hint  string
	Cause error
}

// Error implements error for logs.
func (e *Error) Error() string {
	text := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	for _, i := range e.Items {
		text += fmt.Sprintf(" %s %v", i.ID, i.Metadata)
	}
	if e.Detail != "" {
		text += " " + e.Detail
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Fail makes an error with one item.
func Fail(status int, id string, metadata map[string]any) *Error {
	if metadata == nil {
		metadata = map[string]any{}
	}
	return &Error{Status: status, Items: []Item{{id, metadata}}}
}

// NotFound is a 404 naming the view.
func (r *Request) NotFound() *Error {
	return Fail(http.StatusNotFound, NotFoundID, map[string]any{"view": r.ViewName})
}

// NotFoundPage is what an address that nobody knows shows.
const NotFoundPage = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"

// NoPage is the 404 of plain views: a small page instead of JSON.
func NoPage() *Error { return &Error{Status: http.StatusNotFound, HTML: NotFoundPage} }

// PermissionDenied is the 403 for somebody signed in.
func (r *Request) PermissionDenied() *Error {
	return Fail(http.StatusForbidden, PermissionDeniedID, map[string]any{"view": r.ViewName})
}

// NotAuthenticated is the 403 for somebody who should sign in first.
func (r *Request) NotAuthenticated() *Error {
	return Fail(http.StatusForbidden, NotAuthenticatedID, map[string]any{"view": r.ViewName})
}

// Forbidden is PermissionDenied for a signed-in user and NotAuthenticated for anybody else, as
// Django REST framework's permission_denied chooses.
func (r *Request) Forbidden() *Error {
	if r.Session.UserID == "" {
		return r.NotAuthenticated()
	}
	return r.PermissionDenied()
}

// FieldError is a 400 about one field.
func FieldError(id, field, message string) *Error {
	return Fail(http.StatusBadRequest, id, map[string]any{"field": field, "message": message})
}

// Detail is an error in the plain {"detail": "..."} shape.
func Detail(status int, text string) *Error { return &Error{Status: status, Detail: text} }

// Invalidities collects the errors of several fields, in the order they were found.
type Invalidities struct {
	items  []Item
	nested map[string]any
}

// Add notes an error.
func (v *Invalidities) Add(id, field, message string) {
	v.items = append(v.items, Item{id, map[string]any{"field": field, "message": message}})
}

// Has tells whether the field has an error already.
func (v *Invalidities) Has(field string) bool {
	for _, i := range v.items {
		if i.Metadata["field"] == field {
			return true
		}
	}
	return false
}

// Err returns a 400 with all of them, or nil. Errors within lists are shown only when there are no
// others, and as they are: the original's error ids do not reach into them
// (kolibri/core/utils/exception_handler.py: _return_errors).
func (v *Invalidities) Err() error {
	switch {
	case len(v.items) == 0 && len(v.nested) == 0:
		return nil
	case len(v.items) == 0:
		return &Error{Status: http.StatusBadRequest, Body: v.nested}
	}
	return &Error{Status: http.StatusBadRequest, Items: v.items}
}
