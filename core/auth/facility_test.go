package auth_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/device/settings"
	"kolibri/server/servertest"
	"kolibri/store"
)

func TestFacilities(t *testing.T) { facilities(t, servertest.NewWorld(t)) }

func facilities(t *testing.T, w *servertest.World) {
	const facilities, sets = "/api/auth/facility/", "/api/auth/facilitydataset/"
	try(t, w, []trial{
		{"counts", "anonymous", "GET", facilities + "{facility}/", "", 200, `"num_users":8,"num_classrooms":2,"num_learners":4,"last_successful_sync":null,"last_failed_sync":null,"picture_passwords_exhausted":false`},
		{"for other devices", "anonymous", "GET", "/api/public/v1/facility/{facility}/", "", 200, `"dataset":"{dataset}","name":"Test School","learner_can_login_with_no_password":false,"learner_can_sign_up":true,"on_my_own_setup":false,"picture_password_settings":null`},
		{"unknown to other devices", "anonymous", "GET", "/api/public/v1/facility/{class_a}/", "", 404, ""},
		{"no id for other devices", "anonymous", "GET", "/api/public/v1/facility/x/", "", 404, ""},
		{"a class is no facility", "superuser", "GET", facilities + "{class_a}/", "", 404, "Facility Instance"},
		{"a class is no facility to delete", "superuser", "DELETE", facilities + "{class_a}/", "", 404, ""},
		{"a name is needed", "superuser", "PUT", facilities + "{facility}/", `{}`, 400, "REQUIRED"},
		{"a PATCH without anything", "superuser", "PATCH", facilities + "{facility}/", `{}`, 200, "Test School"},
		{"a new one by its name", "superuser", "POST", facilities, `{"name":"Third"}`, 201, `"preset":"nonformal"`},
		{"a new one has a name", "superuser", "POST", facilities, `{}`, 400, "REQUIRED"},
		{"a kind is needed", "superuser", "POST", facilities + "create_facility/", `{"name":"Fourth"}`, 400, "REQUIRED"},
		{"an unknown kind", "superuser", "POST", facilities + "create_facility/", `{"name":"Fourth","preset":"x"}`, 400, "INVALID_CHOICE"},
		{"a new one of a kind", "superuser", "POST", facilities + "create_facility/", `{"name":"Fourth","preset":"formal"}`, 200, ""},
		{"begins as its kind does", "superuser", "GET", facilities, "", 200, `"preset":"formal"`},
		{"settings are found by facility", "anonymous", "GET", sets + "?facility_id={other_facility}", "", 200, `"allow_guest_access":true`},
		{"a facility's id is a UUID", "anonymous", "GET", sets + "?facility_id=x", "", 400, "Enter a valid UUID."},
		{"unknown settings", "anonymous", "GET", sets + "{facility}/", "", 404, "Facility Dataset Instance"},
		{"a setting", "admin", "PATCH", sets + "{dataset}/", `{"learner_can_edit_username":false,"preset":"informal"}`, 200, `"learner_can_edit_username":false`},
		{"of the wrong type", "admin", "PATCH", sets + "{dataset}/", `{"learner_can_edit_username":"maybe"}`, 400, "Must be a valid boolean."},
		{"of no known kind", "admin", "PATCH", sets + "{dataset}/", `{"preset":"x"}`, 400, "INVALID_CHOICE"},
		{"that contradicts another", "admin", "PATCH", sets + "{dataset}/", `{"learner_can_login_with_no_password":true}`, 400, `["Incompatible device setting"]`},
		{"pictures of an unknown style", "admin", "PATCH", sets + "{dataset}/", `{"picture_password_settings":{"icon_style":"x","show_icon_text":true}}`, 400, "icon_style must be"},
		{"pictures that are none", "admin", "PATCH", sets + "{dataset}/", `{"picture_password_settings":[]}`, 400, "Must be an object or null"},
		{"pictures with half the settings", "admin", "PATCH", sets + "{dataset}/", `{"picture_password_settings":{"icon_style":"standard"}}`, 400, "show_icon_text must be a boolean"},
		{"extra fields of any shape", "admin", "PATCH", sets + "{dataset}/", `{"extra_fields":["x"]}`, 200, `"extra_fields":["x"]`},
		{"reset", "admin", "POST", sets + "{dataset}/resetsettings/", "", 200, `"learner_can_edit_username":true`},
		{"reset of unknown settings", "superuser", "POST", sets + "{facility}/resetsettings/", "", 404, ""},
		{"a PIN", "superuser", "POST", sets + "{dataset}/update-pin/", `{"pin_code":"0042"}`, 200, `"pin_code":"0042"`},
		{"the right PIN", "superuser", "POST", "/api/auth/ispinvalid/{dataset}", `{"pin_code":"0042"}`, 200, `{"is_pin_valid":true}`},
		{"a wrong PIN", "superuser", "POST", "/api/auth/ispinvalid/{dataset}", `{"pin_code":"0043"}`, 200, `{"is_pin_valid":false}`},
		{"a PIN that is none", "superuser", "POST", "/api/auth/ispinvalid/{dataset}", `{"pin_code":"42"}`, 400, "Invalid pin input"},
		{"no PIN to check", "superuser", "POST", "/api/auth/ispinvalid/{dataset}", `{}`, 400, "Invalid pin input"},
		{"the PIN of nothing", "superuser", "POST", "/api/auth/ispinvalid/{facility}", `{"pin_code":"0042"}`, 404, "Is Pin Valid"},
		{"letters are no PIN", "superuser", "POST", sets + "{dataset}/update-pin/", `{"pin_code":"abcd"}`, 400, "Invalid pin input"},
		{"null is no PIN", "superuser", "PATCH", sets + "{dataset}/update-pin/", `{"pin_code":null}`, 400, "Invalid pin input"},
		{"a PIN is needed", "admin", "POST", sets + "{dataset}/update-pin/", `{}`, 400, "Please provide a pin"},
		{"the PIN goes", "admin", "PATCH", sets + "{dataset}/update-pin/", `{}`, 200, `"pin_code":null`},
		{"no password at all", "admin", "PATCH", sets + "{dataset}/save-facility-login-settings/", `{"learner_can_login_with_no_password":true}`, 200, `"learner_can_edit_password":false`},
		{"passwords again", "admin", "PATCH", sets + "{dataset}/save-facility-login-settings/", `{"learner_can_login_with_no_password":false,"learner_can_edit_password":true}`, 200, `"learner_can_edit_password":true`},
		{"a body is an object", "admin", "PATCH", sets + "{dataset}/save-facility-login-settings/", `[]`, 400, "Expected a dictionary"},
	})
}

func TestNewFacilityAsksWhatTheDeviceAsks(t *testing.T) {
	w := servertest.NewWorld(t)
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		s, err := settings.Get(tx)
		require.NoError(t, err)
		s.Extra["default_demographic_field_schema"] = []any{map[string]any{"id": "shoe"}}
		return s.Save(tx)
	}))
	made := w.As(t, "superuser").Post("/api/auth/facility/", map[string]any{"name": "Third"})
	require.Equal(t, 201, made.Status, made.Text)
	require.Equal(t, "shoe", made.Field("dataset", "extra_fields", "demographic_fields", "0", "id"))
}

// Learners who change to pictures get them by a job that the settings page waits for.
func TestHandingOutPicturePasswords(t *testing.T) { handOutPictures(t, servertest.NewWorld(t)) }

func handOutPictures(t *testing.T, w *servertest.World) {
	admin := w.As(t, "admin")
	path := w.Path("/api/auth/facilitydataset/{dataset}/save-facility-login-settings/")
	pictures := map[string]any{"picture_password_settings": map[string]any{"icon_style": "standard", "show_icon_text": true}}
	started := admin.Patch(path, pictures)
	require.Equal(t, 202, started.Status, started.Text)
	require.Equal(t, true, started.Field("dataset", "learner_can_login_with_no_password"))
	job := "/api/tasks/tasks/" + started.Field("task", "id").(string) + "/"
	require.Eventually(t, func() bool { return admin.Get(job).Field("status") == "COMPLETED" }, time.Minute, 20*time.Millisecond)
	withPicture := func() int64 {
		var n int64
		require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
			n, err = tx.Int("SELECT count(DISTINCT picture_password) FROM kolibriauth_facilityuser WHERE dataset_id = ?", w.IDs["dataset"])
			return err
		}))
		return n
	}
	require.EqualValues(t, 4, withPicture(), "the learners and nobody else")

	require.Equal(t, 200, admin.Patch(path, pictures).Status, "another style starts nothing")
	made := admin.Post("/api/auth/role/", map[string]any{"user": w.IDs["loner"], "collection": w.IDs["class_a"], "kind": "coach"})
	require.Equal(t, 201, made.Status, made.Text)
	require.EqualValues(t, 3, withPicture(), "who becomes a coach needs a password")
	require.Equal(t, 204, admin.Delete("/api/auth/role/?user="+w.IDs["loner"]).Status)
	require.EqualValues(t, 4, withPicture(), "who is a learner again signs in by pictures")
	require.Equal(t, 200, admin.Patch(path, map[string]any{"picture_password_settings": nil}).Status)
}

func TestDeletingTheFacilityEndsEverything(t *testing.T) { deleteFacility(t, servertest.NewWorld(t)) }

func deleteFacility(t *testing.T, w *servertest.World) {
	super := w.As(t, "superuser")
	require.Equal(t, 204, super.Delete(w.Path("/api/auth/facility/{facility}/")).Status)
	left := w.Client(t).Get("/api/auth/facility/")
	require.Len(t, left.JSON, 1)
	require.Equal(t, 403, super.Delete(w.Path("/api/auth/facility/{other_facility}/")).Status, "the superuser went with it")
}

// The job deletes a facility from this device alone: other devices shall not hear of it.
func TestDeleteFacilityJob(t *testing.T) { deleteByJob(t, servertest.NewWorld(t)) }

func deleteByJob(t *testing.T, w *servertest.World) {
	start := func(actor, facility string) *servertest.Answer {
		return w.As(t, actor).Post("/api/tasks/tasks/", map[string]any{"type": "kolibri.core.auth.tasks.deletefacility", "facility": w.IDs[facility]})
	}
	require.Equal(t, 403, start("admin", "other_facility").Status)
	require.Equal(t, 400, start("superuser", "class_a").Status)
	own := start("superuser", "facility")
	require.Equal(t, 400, own.Status)
	require.Contains(t, own.Text, "User is member of facility")

	other := w.As(t, "other_learner")
	require.Equal(t, 200, other.Get(w.Path("/api/auth/membership/?user={other_learner}")).Status)
	started := start("superuser", "other_facility")
	require.Equal(t, 200, started.Status, started.Text)
	super := w.As(t, "superuser")
	require.Eventually(t, func() bool {
		return super.Get("/api/tasks/tasks/"+started.Field("id").(string)+"/").Field("status") == "COMPLETED"
	}, time.Minute, 20*time.Millisecond)
	require.NoError(t, w.DB.Read(context.Background(), func(tx *store.Tx) error {
		for _, table := range []string{"kolibriauth_facilitydataset", "kolibriauth_collection", "kolibriauth_facilityuser", "kolibriauth_role", "kolibriauth_membership", "morango_certificate"} {
			rows, err := allRows(tx, table)
			require.NoError(t, err)
			require.NotEmpty(t, rows, table)
			for _, r := range rows {
				for _, v := range r {
					require.False(t, strings.Contains(plain(v), w.IDs["other_dataset"]), table)
				}
			}
		}
		noted, err := tx.Int("SELECT count(*) FROM morango_deletedmodels")
		require.Zero(t, noted)
		return err
	}))
	require.Empty(t, other.Get("/api/auth/membership/").JSON, "nobody of it is signed in any more")
}
