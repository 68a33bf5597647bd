// Package settings is the one row that says how this device is set up
// (kolibri/core/device/models.py: DeviceSettings). It stands below core/auth, which asks it, and
// below core/device, which serves it.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"kolibri/core/api"
	"kolibri/store"
)

// The landing pages.
const (
	SignInPage = "sign-in"
	LearnPage  = "learn"
)

// Settings are the device's settings. Before the device is set up they have the defaults of a new one.
type Settings struct {
	IsProvisioned bool
	// Language is the device's language, such as "en"; empty when none was chosen.
	Language string
	// DefaultFacility is the id of the facility people sign in to, or empty.
	DefaultFacility                      string
	LandingPage                          string
	AllowGuestAccess                     bool
	AllowPeerUnlistedChannelImport       bool
	AllowLearnerUnassignedResourceAccess bool
	AllowOtherBrowsersToConnect          bool
	// SubsetOfUsersDevice is true on a device that holds some learners only ("learn-only device").
	SubsetOfUsersDevice bool
	// Name is the device's name; empty before the device was given one (the host's name then counts).
	Name string
	// Extra holds extra_settings as they are kept, with unknown keys; read them by the methods.
	Extra map[string]any
	saved bool
}

// Defaults are the settings of a new device. Content is fetched automatically unless it is remote.
func Defaults(options api.Options) Settings {
	return Settings{
		Language: "en", LandingPage: SignInPage, AllowGuestAccess: true,
		AllowLearnerUnassignedResourceAccess: true, AllowOtherBrowsersToConnect: true,
		Extra: map[string]any{
			"allow_download_on_metered_connection": false,
			"enable_automatic_download":            !options.RemoteContent,
			"allow_learner_download_resources":     false,
			"set_limit_for_autodownload":           false,
			"limit_for_autodownload":               0,
		},
	}
}

const columns = `is_provisioned, language_id, default_facility_id, landing_page, allow_guest_access,
	allow_peer_unlisted_channel_import, allow_learner_unassigned_resource_access,
	allow_other_browsers_to_connect, subset_of_users_device, name, extra_settings`

// Get reads the settings; on a device without a row they are the defaults (get_device_setting).
func Get(tx *store.Tx) (Settings, error) {
	s, err := store.Get(tx, scan, "SELECT "+columns+" FROM device_devicesettings ORDER BY id LIMIT 1")
	if errors.Is(err, store.ErrNotFound) {
		return Defaults(api.Options{}), nil
	}
	return s, err
}

func scan(row store.Scanner) (Settings, error) {
	s := Settings{saved: true}
	var language, facility *string
	var extra string
	err := row.Scan(&s.IsProvisioned, &language, &facility, &s.LandingPage, &s.AllowGuestAccess,
		&s.AllowPeerUnlistedChannelImport, &s.AllowLearnerUnassignedResourceAccess,
		&s.AllowOtherBrowsersToConnect, &s.SubsetOfUsersDevice, &s.Name, &extra)
	if err != nil {
		return s, err
	}
	if language != nil {
		s.Language = *language
	}
	if facility != nil {
		s.DefaultFacility = *facility
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(extra)))
	dec.UseNumber() // a real Kolibri's numbers stay as they were written
	if err := dec.Decode(&s.Extra); err != nil {
		return s, fmt.Errorf("device settings: extra_settings: %w", err)
	}
	return s, nil
}

// Exist tells whether the settings were ever saved.
func (s Settings) Exist() bool { return s.saved }

// Save writes the settings; there is always one row, number 1.
func (s *Settings) Save(tx *store.Tx) error {
	extra, err := api.JSON(s.Extra)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT INTO device_devicesettings (id, `+columns+`) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET is_provisioned = excluded.is_provisioned, language_id = excluded.language_id,
		default_facility_id = excluded.default_facility_id, landing_page = excluded.landing_page,
		allow_guest_access = excluded.allow_guest_access,
		allow_peer_unlisted_channel_import = excluded.allow_peer_unlisted_channel_import,
		allow_learner_unassigned_resource_access = excluded.allow_learner_unassigned_resource_access,
		allow_other_browsers_to_connect = excluded.allow_other_browsers_to_connect,
		subset_of_users_device = excluded.subset_of_users_device, name = excluded.name, extra_settings = excluded.extra_settings`,
		s.IsProvisioned, store.Null(s.Language), store.Null(s.DefaultFacility), s.LandingPage, s.AllowGuestAccess,
		s.AllowPeerUnlistedChannelImport, s.AllowLearnerUnassignedResourceAccess, s.AllowOtherBrowsersToConnect,
		s.SubsetOfUsersDevice, s.Name, string(extra))
	s.saved = err == nil
	return err
}

// GuestsAllowed tells whether people may use the device without signing in: on a device that is set
// up, where they are let in or land on the library at once.
func (s Settings) GuestsAllowed() bool {
	return s.IsProvisioned && s.AllowGuestAccess || s.LandingPage == LearnPage
}

// UnassignedResourcesAllowed tells whether learners see what nobody assigned to them.
func (s Settings) UnassignedResourcesAllowed() bool {
	return s.AllowLearnerUnassignedResourceAccess || s.LandingPage == LearnPage
}

// AutomaticDownload tells whether assigned content is fetched without being asked for.
func (s Settings) AutomaticDownload() bool { return s.flag("enable_automatic_download") }

// MeteredDownload tells whether content may be fetched over a metered connection.
func (s Settings) MeteredDownload() bool { return s.flag("allow_download_on_metered_connection") }

// LearnerDownloads tells whether learners may fetch content to this device.
func (s Settings) LearnerDownloads() bool { return s.flag("allow_learner_download_resources") }

// DownloadLimited tells whether LimitForAutodownload holds.
func (s Settings) DownloadLimited() bool { return s.flag("set_limit_for_autodownload") }

// LimitForAutodownload is how much learners' downloads may take, in megabytes as the device page counts.
func (s Settings) LimitForAutodownload() int64 {
	switch n := s.extra("limit_for_autodownload").(type) {
	case json.Number:
		i, _ := n.Int64()
		return i
	case int:
		return int64(n)
	}
	return 0
}

// DemographicFields is the schema of custom fields that new facilities get, or nil.
func (s Settings) DemographicFields() any { return s.extra("default_demographic_field_schema") }

func (s Settings) flag(name string) bool { b, _ := s.extra(name).(bool); return b }

// extra is one of extra_settings, or the default where a device older than the setting lacks it.
func (s Settings) extra(name string) any {
	if v, ok := s.Extra[name]; ok {
		return v
	}
	return Defaults(api.Options{}).Extra[name]
}

// The reasons for which a learn-only device cannot be administered any more.
const (
	NoSuperusers          = "NO_SUPERUSERS"
	SuperusersSoftDeleted = "SUPERUSERS_SOFT_DELETED"
)

// UnusableReason is one of these reasons, or empty (kolibri/core/device/utils.py:
// get_device_unusable_reason). Only a device with a subset of users can get there: its accounts are
// administered elsewhere.
func UnusableReason(tx *store.Tx) (string, error) {
	s, err := Get(tx)
	if err != nil || !s.SubsetOfUsersDevice {
		return "", err
	}
	const superusers = "SELECT 1 FROM device_devicepermissions d JOIN kolibriauth_facilityuser u ON u.id = d.user_id WHERE d.is_superuser = TRUE"
	some, err := tx.Exists(superusers)
	if err != nil || !some {
		return NoSuperusers, err
	}
	some, err = tx.Exists(superusers + " AND u.date_deleted IS NULL")
	if err != nil || !some {
		return SuperusersSoftDeleted, err
	}
	return "", nil
}
