package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

const mergeUser = "kolibri.plugins.user_profile.tasks.mergeuser"

var mergeFields = []api.Field{
	{Name: "local_user_id", Clean: api.CleanKey(livingUser)},
	{Name: "new_superuser_id", Optional: true, Clean: api.CleanKey(livingUser)},
	{Name: "set_as_super_user", Optional: true, Clean: api.CleanBool},
}

const livingUser = "SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL"

// validateMerge reads a move of an account of this device into a facility of another.
// kolibri/plugins/user_profile/tasks.py: MergeUserValidator
func (j *Jobs) validateMerge() func(*api.Request, *auth.Person, map[string]any) (tasks.Spec, error) {
	inner := j.validatePeer(remoteKey, append(append(credentialFields(false), userFields...), mergeFields...))
	return func(r *api.Request, who *auth.Person, data map[string]any) (tasks.Spec, error) {
		spec, err := inner(r, who, data)
		if err != nil {
			return spec, err
		}
		local := take(&spec, "local_user_id")
		spec.Args = append(spec.Args, local)
		account := map[string]any{"facility": spec.FacilityID}
		var gender, birth, number, full string
		err = r.Tx.QueryRow("SELECT gender, birth_year, id_number, full_name FROM kolibriauth_facilityuser WHERE id = ?", local).Scan(&gender, &birth, &number, &full)
		for name, value := range map[string]string{"gender": gender, "birth_year": birth, "id_number": number, "full_name": full} {
			if value != auth.NotSpecified {
				account[name] = value
			}
		}
		spec.ExtraMetadata["user_fullname"], spec.Kwargs["account"] = full, account
		return spec, err
	}
}

// askMerge finds the account to merge into, or makes it.
func (j *Jobs) askMerge(r *api.Request, spec *tasks.Spec) error {
	account, _ := spec.Kwargs["account"].(map[string]any)
	delete(spec.Kwargs, "account")
	again := *spec
	again.Kwargs = map[string]any{}
	for name, value := range spec.Kwargs {
		again.Kwargs[name] = value
	}
	err := j.askUser(r, spec)
	var refused *api.Error
	if errors.As(err, &refused) && len(refused.Items) > 0 && (refused.Items[0].ID == api.AuthenticationFailed || refused.Items[0].ID == api.InvalidUsername) {
		account["username"], account["password"] = again.Kwargs["username"], again.Kwargs["password"]
		if err := j.signUp(r, &again, account); err != nil {
			return err
		}
		*spec = again
		err = j.askUser(r, spec)
	}
	if err != nil {
		return err
	}
	user, _ := spec.Kwargs["user"].(string)
	spec.ExtraMetadata["remote_user_pk"] = user
	spec.ExtraMetadata["token"] = auth.MakeToken(j.syncer.Host, j.syncer.Host.DB.Now(), user)
	return nil
}

// signUp makes an account on the other device.
func (j *Jobs) signUp(r *api.Request, spec *tasks.Spec, account map[string]any) error {
	c, err := j.reach(r, spec)
	if err != nil {
		return err
	}
	answer, err := c.Post(r.Ctx, "api/public/signup/", account)
	var e *network.Error
	switch {
	case err == nil:
		return nil
	case answer == nil || !errors.As(err, &e):
		return errGone(err)
	}
	return &api.Error{Status: http.StatusBadRequest, Body: json.RawMessage(answer.Body), Cause: err}
}

// runMerge moves an account: it fetches the one to merge into, copies what was learned, sends that, and
// deletes the old account. Each step may be repeated.
// kolibri/plugins/user_profile/tasks.py: mergeuser
func (j *Jobs) runMerge(ctx context.Context, t *tasks.Task) (any, error) {
	o := optionsOf(t.Job)
	local, _ := t.Job.Args[1].(string)
	o.NoPush = true
	if _, err := j.synchronize(ctx, t, o); err != nil {
		return nil, failure(ctx, t, err)
	}
	var super bool
	err := t.Write(func(tx *store.Tx) error {
		who, err := auth.LoadPerson(tx, local)
		if err != nil {
			return err
		}
		super = who.IsSuperuser
		if err := auth.MergeUsers(tx, j.syncer.Host.Rand, local, o.User); err != nil {
			return err
		}
		s, err := settings.Get(tx)
		if err != nil {
			return err
		}
		s.SubsetOfUsersDevice = true
		return s.Save(tx)
	})
	if err != nil {
		return nil, err
	}
	o.NoPush = false
	if _, err := j.synchronize(ctx, t, o); err != nil {
		return nil, failure(ctx, t, err)
	}
	heir, _ := t.Job.Kwargs["new_superuser_id"].(string)
	promote, _ := t.Job.Kwargs["set_as_super_user"].(bool)
	err = t.Write(func(tx *store.Tx) error {
		if err := j.succeed(tx, local, o.User, heir, super, promote); err != nil {
			return err
		}
		return j.StartSoud(tx)
	})
	if err != nil {
		return nil, err
	}
	return nil, t.Progress(1, 1, nil)
}

// succeed hands over what the old account could do on this device, and deletes it.
func (j *Jobs) succeed(tx *store.Tx, local, user, heir string, super, promote bool) error {
	if heir != "" && super {
		who, err := auth.LoadPerson(tx, heir)
		if err != nil {
			return err
		}
		facility, err := auth.LoadCollection(tx, who.FacilityID)
		if err != nil {
			return err
		}
		if err := auth.AddRole(tx, j.syncer.Host.Rand, heir, facility, auth.Admin); err != nil {
			return err
		}
		if err := auth.MakeSuperuser(tx, heir); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("UPDATE device_osuser SET user_id = ? WHERE user_id = ?", user, local); err != nil {
		return err
	}
	if !promote || !super {
		return auth.PurgeUsers(tx, morango.Delete, local)
	}
	old, err := auth.LoadPerson(tx, local)
	if err != nil {
		return err
	}
	facility, err := auth.LoadCollection(tx, old.FacilityID)
	if err != nil {
		return err
	}
	if err := auth.MakeSuperuser(tx, user); err != nil {
		return err
	}
	s, err := settings.Get(tx)
	if err != nil {
		return err
	}
	if err := tx.QueryRow("SELECT facility_id FROM kolibriauth_facilityuser WHERE id = ?", user).Scan(&s.DefaultFacility); err != nil {
		return err
	}
	if err := s.Save(tx); err != nil {
		return err
	}
	return auth.ForgetFacility(tx, facility)
}
