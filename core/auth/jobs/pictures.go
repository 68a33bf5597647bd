package jobs

import (
	"context"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/store"
)

func pictureSpec(facility string) tasks.Spec {
	return tasks.Spec{Kwargs: map[string]any{"facility_id": facility}, FacilityID: facility, ExtraMetadata: map[string]any{"facility_id": facility}}
}

// kolibri/core/auth/tasks.py: AssignPicturePasswordsValidator
func validatePictures(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	values, err := r.Clean(data, []api.Field{facilityKey("facility_id")}, false)
	return pictureSpec(values.String("facility_id")), err
}

// AssignPictures starts the job for a facility, and returns what the settings page shows of it.
func (j *Jobs) AssignPictures(r *api.Request, facility string) (any, error) {
	who, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	spec := pictureSpec(facility)
	spec.ExtraMetadata["started_by"], spec.ExtraMetadata["started_by_username"] = who.ID, who.Username
	job, err := j.runner.Enqueue(r.Tx, assignPictures, spec, tasks.Schedule{})
	if err != nil {
		return nil, err
	}
	return map[string]any{"id": job.ID, "status": job.State, "percentage": job.Progress, "cancellable": job.Cancellable,
		"facility_id": facility, "extra_metadata": job.ExtraMetadata}, nil
}

const learnersWithoutPicture = `SELECT u.id FROM kolibriauth_facilityuser u WHERE u.dataset_id = ? AND u.date_deleted IS NULL
	AND u.picture_password IS NULL AND NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)
	AND NOT EXISTS (SELECT 1 FROM device_devicepermissions d WHERE d.user_id = u.id AND d.is_superuser = TRUE) ORDER BY u.id`

// runPictures gives every learner of a facility a picture password who has none.
// kolibri/core/auth/tasks.py: assign_picture_passwords_to_facility
func runPictures(host *api.Host) func(context.Context, *tasks.Task) (any, error) {
	return func(_ context.Context, t *tasks.Task) (any, error) {
		facility, _ := t.Job.Kwargs["facility_id"].(string)
		var dataset string
		var learners []string
		err := t.Read(func(tx *store.Tx) error {
			c, err := auth.LoadCollection(tx, facility)
			if err != nil {
				return err
			}
			dataset = c.DatasetID
			learners, err = tx.Strings(learnersWithoutPicture, dataset)
			return err
		})
		if err != nil {
			return nil, err
		}
		for i, user := range learners {
			if err := t.Progress(float64(i), float64(len(learners)), nil); err != nil {
				return nil, err
			}
			err := t.Write(func(tx *store.Tx) error { return auth.AssignPicturePassword(tx, host.Rand, dataset, user) })
			if err != nil {
				return nil, err
			}
		}
		return nil, t.Progress(float64(len(learners)), float64(len(learners)), nil)
	}
}
