// Package views is where Kolibri's plain web addresses lead: the page that suits whoever asks, the
// way in for guests, the way out (kolibri/core/views.py). Plugins that send people there use Home.
package views

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// The pages of the plugins that people are sent to, below the language.
const (
	setupPage    = "setup/"
	signInPage   = "auth/"
	learnPage    = "learn/"
	coachPage    = "coach/"
	facilityPage = "facility/"
	devicePage   = "device/"
)

// Views knows where the server's pages begin.
type Views struct{ host *api.Host }

// New makes the views of a host.
func New(host *api.Host) *Views { return &Views{host} }

// Path is the address of a page in the request's language.
func (v *Views) Path(r *api.Request, page string) string {
	return v.host.Options.URLPathPrefix + r.Lang + "/" + page
}

// Home redirects to the page that suits whoever asks: the wizard on a device that is not set up,
// the highest place that the person's roles open, or the sign-in page. The parameter "next" is
// passed on when it leads to this server.
// kolibri/core/views.py: RootURLRedirectView
func (v *Views) Home(r *api.Request) (any, error) {
	page, err := v.home(r)
	if err != nil {
		return nil, err
	}
	target := v.Path(r, page)
	if next := r.Query().Get("next"); next != "" && page != setupPage && SameHost(next, r.HTTP) {
		target += "?next=" + escape(next)
	}
	return redirect(target), nil
}

// Guest lets a guest in, where guests are allowed.
// kolibri/core/views.py: GuestRedirectView
func (v *Views) Guest(r *api.Request) (any, error) {
	device, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	if device.GuestsAllowed() && v.on(learnPage) {
		return redirect(v.Path(r, learnPage)), nil
	}
	return v.Home(r)
}

// Logout ends the session and leads to the start.
// kolibri/core/views.py: logout_view
func (v *Views) Logout(r *api.Request) (any, error) {
	r.Session.Flush()
	return redirect(v.Path(r, "redirectuser/")), nil
}

// SignIn redirects to the sign-in page for good: an address of old.
// kolibri/plugins/user_auth/root_urls.py
func (v *Views) SignIn(r *api.Request) (any, error) {
	answer := redirect(v.Path(r, signInPage))
	answer.Status = http.StatusMovedPermanently
	return answer, nil
}

func redirect(target string) *api.Response {
	return api.Redirect(target).WithHeader("Vary", "Cookie")
}

func (v *Views) home(r *api.Request) (string, error) {
	device, err := settings.Get(r.Tx)
	if err != nil {
		return "", err
	}
	if !device.IsProvisioned {
		return setupPage, nil
	}
	p, err := auth.UserOf(r)
	if err != nil {
		return "", err
	}
	if p.IsAnonymous() {
		if device.LandingPage == settings.LearnPage && v.on(learnPage) {
			return learnPage, nil
		}
		return signInPage, nil
	}
	return v.pageOf(r.Tx, p)
}

// on tells whether the plugin of a page is switched on.
func (v *Views) on(page string) bool {
	return v.host.Options.PluginOn("kolibri.plugins." + strings.TrimSuffix(page, "/"))
}

// pageOf is the page of somebody signed in. Places for those who look after others are passed over
// on a device that holds a part of the facility, and in a facility for one ("on my own"); those whose
// plugin is switched off are passed over too.
// kolibri/core/views.py: get_url_by_role
func (v *Views) pageOf(tx *store.Tx, p *auth.Person) (string, error) {
	page := ""
	switch {
	case p.IsSuperuser && v.on(devicePage):
		page = devicePage
	case hasRole(p, auth.Admin) && v.on(facilityPage):
		page = facilityPage
	case hasRole(p, auth.Coach, auth.AssignableCoach) && v.on(coachPage):
		page = coachPage
	}
	if page != "" {
		full, err := auth.FullFacility(tx, p.DatasetID)
		if err != nil {
			return "", err
		}
		alone, err := auth.OnMyOwn(tx, p.DatasetID)
		if err != nil || full && !alone {
			return page, err
		}
	}
	if !v.on(learnPage) {
		return "", api.NoPage()
	}
	return learnPage, nil
}

func hasRole(p *auth.Person, kinds ...string) bool {
	return slices.ContainsFunc(p.Roles, func(r auth.HeldRole) bool { return slices.Contains(kinds, r.Kind) })
}

// Provisioned tells whether the device is set up: before that, every plugin's page leads to the wizard.
// kolibri/core/device/middleware.py: ProvisioningErrorHandler
func Provisioned(tx *store.Tx) (bool, error) {
	var done bool
	err := tx.QueryRow("SELECT is_provisioned FROM device_devicesettings ORDER BY id LIMIT 1").Scan(&done)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return done, err
}

// Setup redirects to the setup wizard.
func (v *Views) Setup(r *api.Request) *api.Response { return redirect(v.Path(r, setupPage)) }

// SameHost tells whether an address that somebody gave leads to this server: it is relative, or
// names the host that the request came to. Browsers read a backslash as a slash, so that counts too.
// django/utils/http.py: url_has_allowed_host_and_scheme
func SameHost(address string, r *http.Request) bool {
	address = strings.TrimSpace(address)
	return address != "" && sameHost(address, r) && sameHost(strings.ReplaceAll(address, `\`, "/"), r)
}

func sameHost(address string, r *http.Request) bool {
	if strings.HasPrefix(address, "///") || address[0] < ' ' || address[0] == 0x7f {
		return false
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.Host == "" && u.Scheme != "" {
		return false
	}
	if u.Host == "" {
		return true
	}
	secure := r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	return u.Host == r.Host && (u.Scheme == "https" || u.Scheme == "http" && !secure || u.Scheme == "" && !secure)
}

// escape makes an address fit for a header: what no address may hold is written as %XX, what it
// holds on purpose stays.
// django/utils/encoding.py: iri_to_uri
func escape(address string) string {
	const kept = "/#%[]=:;$&()+,!?*@'~-._"
	var b strings.Builder
	for _, c := range []byte(address) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte(kept, c) >= 0:
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
