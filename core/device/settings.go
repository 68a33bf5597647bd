package device

import (
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
)

// shownSettings are the settings as the API shows them.
// kolibri/core/device/serializers.py: DeviceSettingsSerializer
type shownSettings struct {
	Language                             *string        `json:"language_id"`
	LandingPage                          string         `json:"landing_page"`
	AllowGuestAccess                     bool           `json:"allow_guest_access"`
	AllowPeerUnlistedChannelImport       bool           `json:"allow_peer_unlisted_channel_import"`
	AllowLearnerUnassignedResourceAccess bool           `json:"allow_learner_unassigned_resource_access"`
	AllowOtherBrowsersToConnect          bool           `json:"allow_other_browsers_to_connect"`
	Extra                                map[string]any `json:"extra_settings"`
	PrimaryStorage                       string         `json:"primary_storage_location"`
	SecondaryStorage                     []string       `json:"secondary_storage_locations"`
}

func (d *Device) shown(s settings.Settings) shownSettings {
	shown := shownSettings{LandingPage: s.LandingPage, AllowGuestAccess: s.AllowGuestAccess,
		AllowPeerUnlistedChannelImport:       s.AllowPeerUnlistedChannelImport,
		AllowLearnerUnassignedResourceAccess: s.AllowLearnerUnassignedResourceAccess,
		AllowOtherBrowsersToConnect:          s.AllowOtherBrowsersToConnect, Extra: s.Extra,
		PrimaryStorage: d.host.Device.ContentDir(), SecondaryStorage: []string{}}
	if keeper, ok := d.host.Device.(StorageKeeper); ok {
		for _, path := range keeper.FallbackDirs() {
			if isDirectory(path) { // a drive that is not there now is not shown
				shown.SecondaryStorage = append(shown.SecondaryStorage, path)
			}
		}
	}
	if s.Language != "" {
		shown.Language = &s.Language
	}
	return shown
}

// settings shows the device's settings to those who may administer it.
// kolibri/core/device/api.py: DeviceSettingsView
func (d *Device) settings(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	return d.shown(s), nil
}

var settingsFields = []api.Field{
	{Name: "language_id", Optional: true, Null: true, Clean: api.CleanString(15, true)},
	{Name: "landing_page", Optional: true, Clean: api.CleanChoice(settings.SignInPage, settings.LearnPage)},
	{Name: "allow_guest_access", Optional: true, Clean: api.CleanBool},
	{Name: "allow_peer_unlisted_channel_import", Optional: true, Clean: api.CleanBool},
	{Name: "allow_learner_unassigned_resource_access", Optional: true, Clean: api.CleanBool},
	{Name: "allow_other_browsers_to_connect", Optional: true, Clean: api.CleanBool},
	{Name: "extra_settings", Optional: true, Clean: cleanExtra},
	{Name: "primary_storage_location", Optional: true, Clean: api.CleanString(0, false)},
	{Name: "secondary_storage_locations", Optional: true, Many: true, Clean: api.CleanString(0, true)},
}

// changeSettings changes what the body names. What is wrong is answered as the original does: the
// names of the fields, as text.
func (d *Device) changeSettings(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	var bad api.Invalidities
	v := r.CleanInto(&bad, "", body, settingsFields, true)
	if language, ok := v["language_id"].(string); ok && !d.host.Pages.HasLanguage(language) {
		bad.Add(api.Invalid, "language_id", "Language is not supported by Kolibri")
	}
	if bad.Err() == nil {
		d.checkStorage(&bad, v)
	}
	if err := bad.Err(); err != nil {
		return namesOf(err), nil
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	before := s.AutomaticDownload()
	apply(&s, v)
	if err := s.Save(r.Tx); err != nil {
		return nil, err
	}
	if after := s.AutomaticDownload(); after != before {
		if err := d.switchDownloads(r, after); err != nil {
			return nil, err
		}
	}
	return d.shown(s), nil
}

func apply(s *settings.Settings, v api.Values) {
	if v.Has("language_id") {
		s.Language = v.String("language_id")
	}
	if v.Has("landing_page") {
		s.LandingPage = v.String("landing_page")
	}
	if extra, ok := v["extra_settings"].(map[string]any); ok {
		s.Extra = extra
	}
	for name, target := range map[string]*bool{
		"allow_guest_access":                       &s.AllowGuestAccess,
		"allow_peer_unlisted_channel_import":       &s.AllowPeerUnlistedChannelImport,
		"allow_learner_unassigned_resource_access": &s.AllowLearnerUnassignedResourceAccess,
		"allow_other_browsers_to_connect":          &s.AllowOtherBrowsersToConnect,
	} {
		if v.Has(name) {
			*target = v.Bool(name)
		}
	}
}

// namesOf is the answer to bad settings.
func namesOf(err error) *api.Response {
	text, seen := "", map[any]bool{}
	var bad *api.Error
	if errors.As(err, &bad) {
		for _, item := range bad.Items {
			if field := item.Metadata["field"]; !seen[field] {
				seen[field] = true
				name, _ := field.(string)
				text += name
			}
		}
	}
	return api.Text(http.StatusBadRequest, "text/html; charset=utf-8", text)
}

// cleanExtra holds extra_settings to their schema; unknown keys are let through.
// kolibri/core/device/models.py: extra_settings_schema
func cleanExtra(_ *api.Request, v any) (any, string, string) {
	extra, ok := v.(map[string]any)
	if !ok {
		return nil, api.Invalid, "It must be an object."
	}
	for name, required := range map[string]bool{"allow_download_on_metered_connection": true, "enable_automatic_download": true,
		"allow_learner_download_resources": false, "set_limit_for_autodownload": false} {
		value, given := extra[name]
		if _, isBool := value.(bool); !isBool && (given || required) {
			return nil, api.Invalid, name + " must be true or false."
		}
	}
	if limit, given := extra["limit_for_autodownload"]; given {
		n, _ := limit.(json.Number)
		if _, err := n.Int64(); err != nil {
			return nil, api.Invalid, "limit_for_autodownload must be a whole number."
		}
	}
	return extra, "", ""
}

const (
	automaticSync   = "kolibri.core.content.tasks.automatic_synchronize_content_requests_and_import"
	automaticImport = "kolibri.core.content.tasks.automatic_resource_import"
)

// switchDownloads starts or stops fetching content that was assigned.
func (d *Device) switchDownloads(r *api.Request, on bool) error {
	if on {
		return d.runner.EnqueueIfBuilt(r.Tx, automaticSync)
	}
	if err := d.runner.CancelAll(r.Tx, automaticSync); err != nil {
		return err
	}
	return d.runner.CancelAll(r.Tx, automaticImport)
}
