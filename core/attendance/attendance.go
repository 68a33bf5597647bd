// Package attendance keeps who was there when a class met (kolibri/core/attendance).
package attendance

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
)

// managed is the rule of what coaches note of a class; only admins delete it.
func managed() auth.ByRole {
	rule := auth.ManagedByCoaches()
	rule.Delete = []string{auth.Admin}
	return rule
}

// ofSessions is managed for the records of sessions.
func ofSessions() auth.ByRole {
	rule := managed()
	rule.Within = "this.attendance_session_id IN (SELECT id FROM attendance_attendancesession WHERE collection_id IN {})"
	return rule
}

// The permissions. Rules look at CollectionID, which is the session's.
var (
	Sessions = &auth.Model{Name: "AttendanceSession", Rules: []auth.Rule{managed()}}
	Records  = &auth.Model{Name: "AttendanceRecord", Rules: []auth.Rule{ofSessions()}}
)

// Attendance answers for the app.
type Attendance struct{ host *api.Host }

// New makes the app of a host.
func New(host *api.Host) *Attendance { return &Attendance{host} }

// Routes are the app's APIs.
// kolibri/core/attendance/api.py: AttendanceSessionViewSet, AttendanceRecordViewSet
func (a *Attendance) Routes() []api.Route {
	const session, record = "kolibri:core:attendancesession-", "kolibri:core:attendancerecord-"
	return []api.Route{
		{Name: session + "list", Method: http.MethodGet, Handle: a.list},
		{Name: session + "list", Method: http.MethodPost, Handle: a.create},
		{Name: session + "detail", Method: http.MethodGet, Handle: a.retrieve},
		{Name: session + "detail", Method: http.MethodPut, Handle: a.update},
		{Name: session + "detail", Method: http.MethodPatch, Handle: a.update},
		{Name: session + "detail", Method: http.MethodDelete, Handle: a.remove},
		{Name: session + "recent", Method: http.MethodGet, Handle: a.recent},
		{Name: record + "list", Method: http.MethodGet, Handle: a.records},
		{Name: record + "detail", Method: http.MethodGet, Handle: a.record},
		{Name: record + "bulk-update", Method: http.MethodPost, Handle: a.mark},
	}
}
