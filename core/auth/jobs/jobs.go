// Package jobs is the long work of the auth app (kolibri/core/auth/tasks.py). It stands beside
// core/auth because the task runner itself asks core/auth who may see a job.
package jobs

import (
	"kolibri/core/api"
	"kolibri/core/auth/syncing"
	"kolibri/core/tasks"
)

// The task types.
const (
	deleteFacility = "kolibri.core.auth.tasks.deletefacility"
	assignPictures = "kolibri.core.auth.tasks.assign_picture_passwords_to_facility"
	cleanUpDeleted = "kolibri.core.auth.tasks.cleanup_expired_deleted_users"
	exportUsers    = "kolibri.core.auth.tasks.exportuserstocsv"
	importUsers    = "kolibri.core.auth.tasks.importusersfromcsv"
)

// Jobs starts the app's jobs from its handlers.
type Jobs struct {
	runner *tasks.Runner
	syncer *syncing.Syncer
}

// New gives the app's task types their work. syncer is what synchronizes.
func New(host *api.Host, runner *tasks.Runner, syncer *syncing.Syncer) *Jobs {
	runner.Handle(deleteFacility, tasks.Work{Validate: validateDeletion, Run: runDeletion})
	runner.Handle(assignPictures, tasks.Work{Validate: validatePictures, Run: runPictures(host)})
	runner.Handle(cleanUpDeleted, tasks.Work{Run: runCleanup})
	runner.Handle(exportUsers, tasks.Work{Validate: validateExport(host), Run: runExport(host)})
	runner.Handle(importUsers, tasks.Work{Validate: validateImport(host), Run: runImport(host)})
	j := &Jobs{runner, syncer}
	j.handleSyncs()
	return j
}

// facilityKey is the field of a body that names a facility.
func facilityKey(name string) api.Field {
	return api.Field{Name: name, Clean: api.CleanKey("SELECT 1 FROM kolibriauth_collection WHERE kind = 'facility' AND id = ?")}
}
