package jobs

import (
	"context"
	"errors"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/store"
)

// validateDeletion: nobody deletes the facility he belongs to, so that one always stays.
// kolibri/core/auth/tasks.py: DeleteFacilityValidator
func validateDeletion(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
	values, err := r.Clean(data, []api.Field{facilityKey("facility")}, false)
	if err != nil {
		return tasks.Spec{}, err
	}
	f, err := auth.LoadCollection(r.Tx, values.String("facility"))
	if err != nil {
		return tasks.Spec{}, err
	}
	if who.FacilityID == f.ID {
		return tasks.Spec{}, api.FieldError(api.Invalid, "facility", "User is member of facility")
	}
	return tasks.Spec{Args: []any{f.ID}, FacilityID: f.ID, ExtraMetadata: map[string]any{"facility": f.ID, "facility_name": f.Name}}, nil
}

// runDeletion deletes a facility; one that is gone already is no failure, as after a restart.
func runDeletion(_ context.Context, t *tasks.Task) (any, error) {
	id, _ := t.Job.Args[0].(string)
	if err := t.Progress(0, 1, nil); err != nil {
		return nil, err
	}
	err := t.Write(func(tx *store.Tx) error {
		f, err := auth.LoadCollection(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return auth.ForgetFacility(tx, f)
	})
	if err != nil {
		return nil, err
	}
	return nil, t.Progress(1, 1, nil)
}
