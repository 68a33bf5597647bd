package device

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/store"
)

// ErrProvisioned is returned for a device that is set up already.
var ErrProvisioned = errors.New("the device has already been provisioned")

// Setup is how the command line and the automatic provisioning file set a device up; the keys are
// those of the file (kolibri/core/device/utils.py: provision_from_file). Everything is optional.
type Setup struct {
	// FacilityName names the facility to use, or to create. Without it the device's own is used.
	FacilityName string `json:"facility_name"`
	// Preset is the kind of a new facility: "formal", "nonformal" or "informal".
	Preset           string          `json:"preset"`
	FacilitySettings map[string]bool `json:"facility_settings"`
	DeviceSettings   DeviceSettings  `json:"device_settings"`
	Superuser        struct {
		Username string `json:"username"`
		Password string `json:"password"`
	} `json:"superuser"`
}

// DeviceSettings are the settings that a Setup may give; nil leaves the default.
type DeviceSettings struct {
	Language                             *string `json:"language_id"`
	LandingPage                          *string `json:"landing_page"`
	Name                                 *string `json:"name"`
	AllowGuestAccess                     *bool   `json:"allow_guest_access"`
	AllowPeerUnlistedChannelImport       *bool   `json:"allow_peer_unlisted_channel_import"`
	AllowLearnerUnassignedResourceAccess *bool   `json:"allow_learner_unassigned_resource_access"`
	AllowOtherBrowsersToConnect          *bool   `json:"allow_other_browsers_to_connect"`
}

// facilitySettings are the columns of a facility that may be set from outside
// (kolibri/core/device/utils.py: check_facility_setting).
var facilitySettings = []string{"learner_can_edit_username", "learner_can_edit_name", "learner_can_edit_password",
	"learner_can_sign_up", "learner_can_delete_account", "learner_can_login_with_no_password", "show_download_button_in_learn"}

// check refuses what no device could be set up with.
func (s Setup) check(h *api.Host) error {
	for name := range s.FacilitySettings {
		if !slices.Contains(facilitySettings, name) {
			return fmt.Errorf("'%s' is not a facility setting that can be changed by this command", name)
		}
	}
	if _, ok := auth.PresetSettings(s.Preset); s.Preset != "" && !ok {
		return fmt.Errorf("'%s' is not a preset: choose formal, nonformal or informal", s.Preset)
	}
	d := s.DeviceSettings
	if d.Language != nil && h.Pages != nil && !h.Pages.HasLanguage(*d.Language) {
		return fmt.Errorf("'%s' is not a language of Kolibri", *d.Language)
	}
	if d.LandingPage != nil && *d.LandingPage != settings.SignInPage && *d.LandingPage != settings.LearnPage {
		return fmt.Errorf("'%s' is not a landing page: choose %s or %s", *d.LandingPage, settings.SignInPage, settings.LearnPage)
	}
	if d.Name != nil && (*d.Name == "" || len([]rune(*d.Name)) > maxName) {
		return fmt.Errorf("a device's name has 1 to %d characters", maxName)
	}
	if s.Superuser.Username != "" {
		return auth.ValidUsername(s.Superuser.Username)
	}
	return nil
}

// maxName is how long a device's name may be.
const maxName = 50

// Provision sets the device up, once: facility, settings and superuser, as far as they are given.
// kolibri/core/device/utils.py: setup_device_and_facility
func Provision(ctx context.Context, h *api.Host, s Setup) error {
	if err := s.check(h); err != nil {
		return err
	}
	var facility *auth.Collection
	err := h.DB.Read(ctx, func(tx *store.Tx) (err error) {
		device, err := settings.Get(tx)
		if err == nil && device.IsProvisioned {
			err = ErrProvisioned
		}
		if err == nil {
			facility, err = facilityNamed(tx, s.FacilityName, device.DefaultFacility)
		}
		return err
	})
	if err != nil {
		return err
	}
	var made *auth.NewFacility
	if facility == nil && s.FacilityName != "" {
		made = &auth.NewFacility{Name: s.FacilityName, Preset: s.Preset, Settings: morango.Row{}}
		for name, value := range s.FacilitySettings {
			made.Settings[name] = value
		}
		if made.Certificate, err = morango.NewRootCertificate(h.Rand); err != nil {
			return err
		}
	}
	hash := ""
	if s.Superuser.Username != "" && s.Superuser.Password != "" {
		if hash, err = auth.HashPassword(ctx, h.Hasher, h.Rand, s.Superuser.Password); err != nil {
			return err
		}
	}
	return h.DB.Write(ctx, func(tx *store.Tx) error {
		if made != nil {
			if facility, err = auth.CreateFacility(tx, h.Rand, *made); err != nil {
				return err
			}
		}
		device, err := settings.Get(tx)
		if err != nil {
			return err
		}
		if device.IsProvisioned { // by somebody else meanwhile
			return ErrProvisioned
		}
		prepare(&device, h, facility)
		s.DeviceSettings.apply(&device)
		device.IsProvisioned = true
		if err := device.Save(tx); err != nil {
			return err
		}
		if hash == "" || facility == nil {
			return nil
		}
		_, err = CreateSuperuser(tx, h, facility, auth.NewUser{Username: s.Superuser.Username, FullName: s.Superuser.Username, Password: hash})
		if errors.Is(err, auth.ErrUsernameTaken) {
			h.Log.Warn("an account of this name exists and was left as it is", "username", s.Superuser.Username)
			return nil
		}
		return err
	})
}

// prepare fills what a device that was never set up has no settings for yet.
func prepare(device *settings.Settings, h *api.Host, facility *auth.Collection) {
	if !device.Exist() {
		*device = settings.Defaults(h.Options)
	}
	if device.Name == "" {
		device.Name = hostName(h)
	}
	if facility != nil {
		device.DefaultFacility = facility.ID
	}
}

// hostName is the name that a device without one has.
func hostName(h *api.Host) string {
	name := []rune(h.Device.Hostname())
	return string(name[:min(len(name), maxName)])
}

func (d DeviceSettings) apply(s *settings.Settings) {
	set(&s.Language, d.Language)
	set(&s.LandingPage, d.LandingPage)
	set(&s.Name, d.Name)
	set(&s.AllowGuestAccess, d.AllowGuestAccess)
	set(&s.AllowPeerUnlistedChannelImport, d.AllowPeerUnlistedChannelImport)
	set(&s.AllowLearnerUnassignedResourceAccess, d.AllowLearnerUnassignedResourceAccess)
	set(&s.AllowOtherBrowsersToConnect, d.AllowOtherBrowsersToConnect)
}

func set[T any](target *T, value *T) {
	if value != nil {
		*target = *value
	}
}

// facilityNamed finds a facility by its name in whatever case; without a name it is the device's
// own, or the first there is. Nil: none (kolibri/core/device/utils.py: get_facility_by_name).
func facilityNamed(tx *store.Tx, name, own string) (*auth.Collection, error) {
	type row struct{ id, name string }
	all, err := store.Select(tx, func(s store.Scanner) (r row, err error) { return r, s.Scan(&r.id, &r.name) },
		"SELECT id, name FROM kolibriauth_collection WHERE kind = ? ORDER BY id", auth.KindFacility)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	i := slices.IndexFunc(all, func(r row) bool {
		if name != "" {
			return strings.EqualFold(r.name, name)
		}
		return r.id == own
	})
	if i < 0 && name != "" {
		return nil, nil
	}
	return auth.LoadCollection(tx, all[max(i, 0)].id)
}

// CreateSuperuser makes an account with all rights. A superuser is asked for no demographics
// (kolibri/core/auth/models.py: create_superuser).
func CreateSuperuser(tx *store.Tx, h *api.Host, facility *auth.Collection, u auth.NewUser) (string, error) {
	u.Gender, u.BirthYear = auth.Deferred, auth.Deferred
	id, err := auth.CreateUser(tx, h.Rand, facility, u)
	if err != nil {
		return "", err
	}
	if err := auth.AddRole(tx, h.Rand, id, facility, auth.Admin); err != nil {
		return "", err
	}
	return id, auth.MakeSuperuser(tx, id)
}

// settingsOf picks those of a request's facility settings that a facility has; null leaves the preset's.
func settingsOf(custom map[string]any) (morango.Row, error) {
	row := morango.Row{}
	for _, name := range append(slices.Clone(facilitySettings), "enable_mark_attendance") {
		value, given := custom[name]
		if !given || value == nil {
			continue
		}
		if _, ok := value.(bool); !ok {
			return nil, fmt.Errorf("%s must be true or false", name)
		}
		row[name] = value
	}
	return row, nil
}
