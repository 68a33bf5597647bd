// Package userauth is the plugin with which people sign in and sign up (kolibri/plugins/user_auth).
package userauth

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/core/views"
)

const plugin = "kolibri.plugins.user_auth"

// UserAuth answers for the plugin.
type UserAuth struct {
	host  *api.Host
	views *views.Views
}

// New makes the plugin of a host.
func New(host *api.Host) *UserAuth { return &UserAuth{host, views.New(host)} }

// Routes are the plugin's pages.
func (u *UserAuth) Routes() []api.Route {
	return []api.Route{{Name: "kolibri:" + plugin + ":user_auth", Method: http.MethodGet, Handle: u.page}}
}

// page is the sign-in page; who is signed in already is led to where he belongs.
// kolibri/plugins/user_auth/views.py, kolibri_plugin.py: UserAuthAsset
func (u *UserAuth) page(r *api.Request) (any, error) {
	p, err := auth.UserOf(r)
	if err != nil {
		return nil, err
	}
	if !p.IsAnonymous() {
		return u.views.Home(r)
	}
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	unusable, err := settings.UnusableReason(r.Tx)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"oidcProviderEnabled": false, "allowGuestAccess": device.AllowGuestAccess,
		"allowRemoteAccess": device.AllowOtherBrowsersToConnect, "deviceUnusableReason": nil}
	if unusable != "" {
		data["deviceUnusableReason"] = unusable
	}
	return u.host.Pages.Page(r, "auth", false, map[string]map[string]any{plugin + ".app": data})
}
