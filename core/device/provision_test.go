package device_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device"
	"kolibri/core/device/settings"
	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

const tasksURL = "/api/tasks/tasks/"

// wizard is what the setup wizard sends at its end.
func wizard(changes map[string]any) map[string]any {
	body := map[string]any{
		"type":     "kolibri.core.device.tasks.provisiondevice",
		"facility": map[string]any{"name": "مدرسة الأمل"}, "preset": "nonformal",
		"superuser":   map[string]any{"full_name": "Super User", "username": "superuser", "password": "pass-word1"},
		"settings":    map[string]any{"learner_can_login_with_no_password": false, "learner_can_edit_password": true, "on_my_own_setup": false, "learner_can_sign_up": true},
		"language_id": "ar", "device_name": "Box", "allow_guest_access": nil, "is_provisioned": true, "is_soud": false,
	}
	for k, v := range changes {
		if v == missing {
			delete(body, k)
			continue
		}
		body[k] = v
	}
	return body
}

const missing = "(missing)"

// visitor is an anonymous browser that has the CSRF cookie.
func visitor(t *testing.T, s *servertest.Server) *servertest.Client {
	c := s.Client(t)
	require.Equal(t, 200, c.Put("/api/auth/session/current/", map[string]any{}).Status)
	return c
}

// run starts the task and waits for its end.
func run(t *testing.T, c *servertest.Client, body map[string]any) *servertest.Answer {
	t.Helper()
	a := c.Post(tasksURL, body)
	require.Equal(t, 200, a.Status, a.Text)
	id := a.Field("id").(string)
	require.Eventually(t, func() bool {
		a = c.Get(tasksURL + id + "/")
		return a.Field("clearable") == true
	}, time.Minute, 5*time.Millisecond)
	return a
}

func TestWizardSetsTheDeviceUp(t *testing.T) {
	for _, tc := range []struct {
		name    string
		changes map[string]any
		guests  bool
		dataset map[string]any
		soud    bool
	}{
		{"nonformal", nil, true, map[string]any{"learner_can_edit_username": true, "learner_can_edit_password": true, "learner_can_sign_up": true, "learner_can_login_with_no_password": false}, false},
		{"informal, as the preset has it", map[string]any{"preset": "informal", "settings": map[string]any{"learner_can_sign_up": nil}}, true, map[string]any{"learner_can_sign_up": true}, false},
		{"formal", map[string]any{"preset": "formal", "settings": map[string]any{}}, false,
			map[string]any{"learner_can_edit_username": false, "learner_can_sign_up": false, "learner_can_login_with_no_password": true, "show_download_button_in_learn": false}, false},
		{"formal with guests", map[string]any{"preset": "formal", "allow_guest_access": true}, true, map[string]any{"learner_can_sign_up": true, "learner_can_login_with_no_password": false}, false},
		{"on my own", map[string]any{"settings": map[string]any{"on_my_own_setup": true}}, true, map[string]any{"preset": "nonformal"}, false},
		{"a learner's own device", map[string]any{"is_soud": missing}, true, map[string]any{"preset": "nonformal"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := servertest.New(t)
			c := visitor(t, s)
			a := run(t, c, wizard(tc.changes))
			require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
			require.Equal(t, "superuser", a.Field("extra_metadata", "username"))
			facility := a.Field("extra_metadata", "facility_id")

			signed := c.Post("/api/auth/session/", map[string]any{"username": "superuser", "password": "pass-word1", "facility": facility})
			require.Equal(t, 200, signed.Status, signed.Text)
			require.Contains(t, signed.Field("kind"), "superuser")
			require.Equal(t, a.Field("extra_metadata", "superuser_id"), signed.Field("user_id"))
			require.Equal(t, true, signed.Field("full_facility_import"), "the facility has a certificate of its own")

			dataset := c.Get("/api/auth/facilitydataset/")
			for field, want := range tc.dataset {
				require.Equal(t, want, dataset.Field("0", field), field)
			}
			d := c.Get("/api/device/devicesettings/")
			require.Equal(t, "ar", d.Field("language_id"))
			require.Equal(t, tc.guests, d.Field("allow_guest_access"))
			require.Equal(t, "Box", c.Get("/api/device/devicename/").Field("name"))
			_, own := wizard(tc.changes)["settings"].(map[string]any)["on_my_own_setup"]
			require.Equal(t, own, d.Field("extra_settings", "allow_learner_download_resources"), "as in the original, the question alone decides")
			now := current(t, s)
			require.Equal(t, tc.soud, now.SubsetOfUsersDevice)
			require.Equal(t, facility, now.DefaultFacility)

			again := visitor(t, s).Post(tasksURL, wizard(nil))
			require.Equal(t, 403, again.Status, "a device is set up once")
		})
	}
}

func current(t *testing.T, s *servertest.Server) (now settings.Settings) {
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) (err error) {
		now, err = settings.Get(tx)
		return err
	}))
	return now
}

func TestWizardFails(t *testing.T) {
	s := servertest.New(t)
	c := visitor(t, s)
	person := func(name, password any) map[string]any {
		return map[string]any{"superuser": map[string]any{"username": name, "password": password}}
	}
	t.Run("at once", func(t *testing.T) {
		for _, tc := range []struct {
			name    string
			changes map[string]any
			text    string
		}{
			{"no superuser", map[string]any{"superuser": missing}, "Superuser is required for provisioning"},
			{"a superuser that is null", map[string]any{"superuser": nil}, `"NULL"`},
			{"a superuser that is text", map[string]any{"superuser": "x"}, `{"superuser":{"non_field_errors":`},
			{"a bad name", person("su per", "x"), `{"superuser":{"username":["Enter a valid username.`},
			{"no password", person("su", ""), `{"superuser":{"password":["This field may not be blank."]}}`},
			{"no facility", map[string]any{"facility": missing}, "Please provide one of `facility` or `facility_id`; but not both."},
			{"two facilities", map[string]any{"facility_id": "x"}, "but not both."},
			{"no preset", map[string]any{"preset": missing}, "Please provide `preset` if `facility` is specified"},
			{"an unknown preset", map[string]any{"preset": "casual"}, `"INVALID_CHOICE"`},
			{"an unknown language", map[string]any{"language_id": "xx"}, "Language is not supported by Kolibri"},
			{"no language", map[string]any{"language_id": missing}, `"REQUIRED"`},
			{"no settings", map[string]any{"settings": missing}, `"settings"`},
			{"no word about guests", map[string]any{"allow_guest_access": missing}, `"allow_guest_access"`},
			{"a long name", map[string]any{"device_name": string(make([]rune, 51))}, `"device_name"`},
			{"a facility without name", map[string]any{"facility": map[string]any{}}, `{"facility":{"name":["This field is required."]}}`},
		} {
			t.Run(tc.name, func(t *testing.T) {
				a := c.Post(tasksURL, wizard(tc.changes))
				require.Equal(t, 400, a.Status, a.Text)
				require.Contains(t, a.Text, tc.text)
			})
		}
	})
	t.Run("in the end, and leaves nothing", func(t *testing.T) {
		for _, tc := range []struct {
			name, exception string
			changes         map[string]any
		}{
			{"settings that are no object", "AttributeError", map[string]any{"settings": "x"}},
			{"a setting that is no flag", "ValidationError", map[string]any{"settings": map[string]any{"learner_can_sign_up": "x"}}},
			{"settings that contradict each other", "IncompatibleDeviceSettingError", map[string]any{"settings": map[string]any{"learner_can_login_with_no_password": true, "learner_can_edit_password": true}}},
			{"a facility that is not there", "ParseError", map[string]any{"facility": missing, "facility_id": servertest.ID("x")}},
			{"a facility that is null", "ParseError", map[string]any{"facility": nil}},
		} {
			t.Run(tc.name, func(t *testing.T) {
				a := run(t, c, wizard(tc.changes))
				require.Equal(t, "FAILED", a.Field("status"))
				require.Equal(t, tc.exception, a.Field("exception"), a.Text)
				require.False(t, current(t, s).IsProvisioned)
				require.Empty(t, c.Get("/api/auth/facility/").JSON)
			})
		}
	})
	t.Run("and can be tried again", func(t *testing.T) {
		require.Equal(t, "COMPLETED", run(t, c, wizard(nil)).Field("status"))
	})
}

func TestWizardAfterAnImport(t *testing.T) {
	s := servertest.NewSchool(t) // stands for a facility that came from another device
	s.Exec(t, "UPDATE device_devicesettings SET is_provisioned = FALSE")
	s.Exec(t, "DELETE FROM device_devicepermissions")
	a := run(t, visitor(t, s.Server), wizard(map[string]any{"facility": missing, "preset": missing, "facility_id": servertest.ID("facility"),
		"superuser": map[string]any{"username": "admin", "password": auth.NotSpecified}}))
	require.Equal(t, "COMPLETED", a.Field("status"), a.Text)
	require.Equal(t, servertest.ID("admin"), a.Field("extra_metadata", "superuser_id"))
	require.NotEmpty(t, a.Field("extra_metadata", "auth_token"), "his password is not known here: a token signs him in")
	require.Contains(t, s.As(t, "admin").Get("/api/device/devicepermissions/").Text, servertest.ID("admin"))
}

func TestProvisionByFileOrCommand(t *testing.T) {
	yes, english, name := true, "en", "Classroom"
	setup := func(change func(*device.Setup)) device.Setup {
		s := device.Setup{FacilityName: "Hope School", Preset: "formal", FacilitySettings: map[string]bool{"learner_can_sign_up": true},
			DeviceSettings: device.DeviceSettings{Language: &english, Name: &name, AllowPeerUnlistedChannelImport: &yes}}
		s.Superuser.Username, s.Superuser.Password = "su", "pass-word1"
		change(&s)
		return s
	}
	var host *api.Host // as the server's program made it
	keep := func(c *server.Config) { host = &c.Host }
	provision := func(t *testing.T, _ *servertest.Server, with device.Setup) error {
		return device.Provision(context.Background(), host, with)
	}
	t.Run("everything", func(t *testing.T) {
		s := servertest.New(t, keep)
		require.NoError(t, provision(t, s, setup(func(*device.Setup) {})))
		now := current(t, s)
		require.True(t, now.IsProvisioned && now.AllowPeerUnlistedChannelImport)
		require.Equal(t, "Classroom", now.Name)
		c := visitor(t, s)
		require.Equal(t, 200, c.Post("/api/auth/session/", map[string]any{"username": "su", "password": "pass-word1", "facility": now.DefaultFacility}).Status)
		require.ErrorIs(t, provision(t, s, setup(func(*device.Setup) {})), device.ErrProvisioned)
	})
	t.Run("nothing but the device", func(t *testing.T) {
		s := servertest.New(t, keep)
		require.NoError(t, provision(t, s, device.Setup{}))
		now := current(t, s)
		require.True(t, now.IsProvisioned)
		require.Equal(t, "testbox", now.Name, "the host's name")
	})
	t.Run("the facility there is, named in another case", func(t *testing.T) {
		s := servertest.NewSchool(t)
		host.DB = s.DB
		s.Exec(t, "DELETE FROM device_devicesettings")
		require.NoError(t, provision(t, s.Server, setup(func(d *device.Setup) { d.FacilityName = "FACILITY"; d.Superuser.Username = "ADMIN" })))
		require.Equal(t, servertest.ID("facility"), current(t, s.Server).DefaultFacility)
		require.Equal(t, []any{}, s.As(t, "admin").Get("/api/device/devicepermissions/").JSON, "an account that exists is left as it is")
	})
	t.Run("faults", func(t *testing.T) {
		s := servertest.New(t, keep)
		bad, empty := "coach", ""
		for text, change := range map[string]func(*device.Setup){
			"not a facility setting": func(d *device.Setup) { d.FacilitySettings = map[string]bool{"registered": true} },
			"not a preset":           func(d *device.Setup) { d.Preset = "casual" },
			"not a landing page":     func(d *device.Setup) { d.DeviceSettings.LandingPage = &bad },
			"1 to 50 characters":     func(d *device.Setup) { d.DeviceSettings.Name = &empty },
			"Enter a valid username": func(d *device.Setup) { d.Superuser.Username = "a b" },
			"without a password":     func(d *device.Setup) { d.FacilitySettings = map[string]bool{"learner_can_edit_password": true} },
		} {
			require.ErrorContains(t, provision(t, s, setup(change)), text)
		}
		require.False(t, current(t, s).IsProvisioned)
	})
}

func TestIdentityStays(t *testing.T) {
	var config *server.Config
	s := servertest.New(t, func(c *server.Config) { config = c })
	id := s.Client(t).Get("/api/public/info/").Field("instance_id")
	next, err := server.New(context.Background(), *config)
	require.NoError(t, err)
	defer next.Close()
	require.Equal(t, id, s.Client(t).Get("/api/public/info/").Field("instance_id"))
}

func TestDeprovision(t *testing.T) {
	const task = "kolibri.core.device.tasks.deprovisiondevice"
	s := servertest.NewSchool(t)
	body := map[string]any{"type": task}
	for _, who := range []string{"anonymous", "admin", "superuser"} {
		c := s.As(t, who)
		if who == "anonymous" {
			c = visitor(t, s.Server)
		}
		require.Equal(t, 403, c.Post(tasksURL, body).Status, "a device that has superusers is not given up: %s", who)
	}
	s.Exec(t, "UPDATE device_devicesettings SET subset_of_users_device = TRUE")
	require.Equal(t, 403, s.As(t, "learner").Post(tasksURL, body).Status)
	s.Exec(t, "UPDATE kolibriauth_facilityuser SET date_deleted = ? WHERE id = ?", store.Zoned(time.Now()), servertest.ID("superuser"))
	before := s.Client(t).Get("/api/public/info/").Field("instance_id")
	c := visitor(t, s.Server)
	a := c.Post(tasksURL, body)
	require.Equal(t, 200, a.Status, a.Text)
	require.Eventually(t, func() bool { return !current(t, s.Server).IsProvisioned }, time.Minute, 5*time.Millisecond)
	require.Eventually(t, func() bool { return c.Get(tasksURL+a.Field("id").(string)+"/").Field("status") == "COMPLETED" }, time.Minute, 5*time.Millisecond)
	require.Empty(t, c.Get("/api/auth/facility/").JSON)
	require.NotEqual(t, before, c.Get("/api/public/info/").Field("instance_id"))
	require.NoError(t, s.DB.Read(context.Background(), func(tx *store.Tx) error {
		for _, table := range []string{"kolibriauth_facilityuser", "kolibriauth_facilitydataset", "kolibriauth_role", "kolibriauth_membership", "kolibriauth_session", "device_devicepermissions", "morango_certificate"} {
			n, err := tx.Int("SELECT count(*) FROM " + table)
			require.NoError(t, err)
			require.Zero(t, n, table)
		}
		return nil
	}))
	require.Equal(t, "COMPLETED", run(t, c, wizard(nil)).Field("status"), "the wizard can begin anew")
}
