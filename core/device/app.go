package device

import (
	"crypto/subtle"
	"errors"
	"strings"

	"kolibri/core/api"
	"kolibri/core/views"
	"kolibri/store"
)

// initialize lets the app that Kolibri is embedded in prove itself: it knows the device's key and
// gets it as a cookie. Nobody is signed in by that here: the account of the operating system's user
// is known to apps of the original only.
// kolibri/core/device/api.py: InitializeAppView
func (d *Device) initialize(r *api.Request) (any, error) {
	var key string
	err := r.Tx.QueryRow("SELECT key FROM device_deviceappkey ORDER BY id LIMIT 1").Scan(&key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	known, ok := api.ParseUUID(key) // PostgreSQL keeps it with hyphens
	if !ok || subtle.ConstantTimeCompare([]byte(known), []byte(strings.ToLower(r.Param("_0")))) != 1 {
		return nil, r.PermissionDenied()
	}
	target := d.host.Options.URLPathPrefix
	if next := r.Query().Get("next"); next != "" && views.SameHost(next, r.HTTP) {
		target = next
	}
	return api.Redirect(target).SetCookie(&api.Cookie{Name: "app_key_cookie", Value: key, Path: "/"}), nil
}
