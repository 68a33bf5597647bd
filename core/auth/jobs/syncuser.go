package jobs

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
)

// remoteUser is an account on another device, as far as an import needs it.
type remoteUser struct {
	ID       string   `json:"id"`
	Username string   `json:"username"`
	FullName string   `json:"full_name"`
	Super    bool     `json:"is_superuser"`
	Roles    []string `json:"roles"`
}

// askUser finds the account to import, and makes sure that this device may synchronize it.
// kolibri/core/auth/tasks.py: PeerImportSingleSyncJobValidator
func (j *Jobs) askUser(r *api.Request, spec *tasks.Spec) error {
	c, err := j.reach(r, spec)
	if err != nil {
		return err
	}
	username, password, wanted := take(spec, "username"), take(spec, "password"), take(spec, "user_id")
	if password == "" {
		password = auth.NotSpecified
	}
	admin, _ := spec.Kwargs["using_admin"].(bool)
	force, _ := spec.Kwargs["force_non_learner_import"].(bool)
	delete(spec.Kwargs, "using_admin")
	delete(spec.Kwargs, "force_non_learner_import")
	if !admin {
		wanted = ""
	}
	user, err := j.remoteUser(r, c, spec.FacilityID, username, password, wanted)
	if err != nil {
		return err
	}
	if !force && (user.Super || slices.ContainsFunc(user.Roles, func(kind string) bool {
		return slices.Contains([]string{"superuser", auth.Coach, auth.AssignableCoach, auth.Admin}, kind)
	})) {
		var bad api.Invalidities
		bad.Add(api.Invalid, "id", api.DeviceLimitations)
		bad.Add(api.Invalid, "full_name", user.FullName)
		bad.Add(api.Invalid, "roles", strings.Join(user.Roles, ", "))
		return bad.Err()
	}
	if err := j.prove(r, spec, username, password, user.ID); err != nil {
		return err
	}
	for name, value := range map[string]any{"user_id": user.ID, "username": user.Username, "user_full_name": user.FullName} {
		spec.ExtraMetadata[name] = value
	}
	spec.Kwargs["user"], spec.Kwargs["no_push"], spec.Kwargs["no_provision"] = user.ID, true, true
	return nil
}

// remoteUser proves an account on another device; an admin's lets him name another (wanted).
// kolibri/core/auth/utils/users.py: get_remote_users_info, get_remote_user_info
func (j *Jobs) remoteUser(r *api.Request, c *network.Client, facility, username, password, wanted string) (*remoteUser, error) {
	path := "api/public/facilityuser/"
	if wanted != "" {
		path += wanted + "/"
	}
	answer, err := c.GetAs(r.Ctx, path+"?facility_id="+url.QueryEscape(facility), "username="+username+"&facility="+facility, password)
	var e *network.Error
	switch {
	case err != nil && answer == nil:
		return nil, errGone(err)
	case err != nil && errors.As(err, &e):
		return nil, j.refusal(r, c, facility, password, wanted, answer.Status)
	}
	var all []remoteUser
	if wanted != "" {
		all = make([]remoteUser, 1)
		err = json.Unmarshal(answer.Body, &all[0])
	} else {
		err = json.Unmarshal(answer.Body, &all)
	}
	if err != nil {
		return nil, errGone(err)
	}
	for i, u := range all {
		id, ok := api.ParseUUID(u.ID)
		if ok && (wanted == id || wanted == "" && (len(all) == 1 || u.Username == username)) {
			all[i].ID = id
			return &all[i], nil
		}
	}
	return nil, r.NotFound()
}

// refusal says why an account could not be proved, as precisely as the other device's settings allow.
func (j *Jobs) refusal(r *api.Request, c *network.Client, facility, password, wanted string, status int) error {
	fail := func(id, text string) error { return api.FieldError(id, "non_field_errors", text) }
	switch {
	case wanted != "" && status == http.StatusNotFound:
		return r.NotFound()
	case password != "" && password != auth.NotSpecified:
		return fail(api.AuthenticationFailed, "Authentication failed")
	}
	var open struct {
		Open bool `json:"learner_can_login_with_no_password"`
	}
	answer, err := c.Get(r.Ctx, "api/public/v1/facility/"+facility+"/")
	if err != nil || json.Unmarshal(answer.Body, &open) != nil {
		return errGone(err)
	}
	if open.Open {
		return fail(api.InvalidUsername, "The username can not be found")
	}
	return fail(api.MissingPassword, "Password is required")
}
