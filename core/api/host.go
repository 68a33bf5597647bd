package api

import (
	"context"
	"io"
	"log/slog"
	"slices"

	"kolibri/store"
)

// Host is what the program around the server provides: the same handlers run in a browser's worker
// and natively, and whatever differs between the two stands here.
type Host struct {
	DB      *store.DB
	Rand    io.Reader
	Hasher  Hasher
	HTTP    Outgoing // requests to other servers
	Options Options
	Log     *slog.Logger
	Device  Device
	Pages   Pages
	Media   Media
	// Secret keys the short-lived tokens that stand for a sign-in. The server draws one when the host
	// gives none; tokens then end with the program.
	Secret []byte
	// Base is the context of work that outlives a request, such as tasks; it ends with the server.
	Base context.Context
}

// Hasher derives PBKDF2-HMAC-SHA256 keys of 32 bytes: WebCrypto in the tab, Go's own natively.
type Hasher interface {
	PBKDF2(ctx context.Context, password, salt []byte, iterations int) ([]byte, error)
}

// Device is what the host knows of the machine.
type Device interface {
	// FreeSpace is how many bytes can still be stored.
	FreeSpace(ctx context.Context) (int64, error)
	// OS names the operating system, such as "Linux".
	OS() string
	// Hostname is the name a new device proposes for itself.
	Hostname() string
	// ContentDir tells where content lies, for people to read.
	ContentDir() string
	// InTab is true in a browser, where no other device can connect.
	InTab() bool
}

// Options are Kolibri's own options as far as they apply (kolibri/utils/options.py). A host fills
// them from KOLIBRI_* variables and options.ini, or leaves the defaults of DefaultOptions.
type Options struct {
	Home                     string
	HTTPPort                 int
	ZipContentPort           int // where browsers find zip content, unless ZipContentOrigin says it
	ZipContentOrigin         string
	ZipContentPathPrefix     string // as URLPathPrefix, on that origin; empty means "/"
	URLPathPrefix            string // "/" or "/sub/path/"
	Languages                []string
	CentralContentBaseURL    string
	DataPortalBaseURL        string
	RemoteContent            bool
	ListenAddress            string
	DisablePing              bool
	MinimumDiskSpace         int64
	CSPHostSources           []string
	AutomaticProvisionFile   string
	RegularPriorityWorkers   int
	HighPriorityWorkers      int
	AllowPeerUnlistedChannel bool
	RunMode                  string
	Debug                    bool
	// DisabledPlugins are the plugins ("kolibri.plugins.coach") that this server runs without.
	DisabledPlugins []string
}

// PluginOn tells whether this server runs with a plugin.
func (o Options) PluginOn(id string) bool { return !slices.Contains(o.DisabledPlugins, id) }

// DefaultOptions are the original's defaults.
func DefaultOptions() Options {
	return Options{
		HTTPPort: 8080, URLPathPrefix: "/", ListenAddress: "0.0.0.0",
		CentralContentBaseURL: "https://studio.learningequality.org",
		DataPortalBaseURL:     "https://kolibridataportal.learningequality.org",
		MinimumDiskSpace:      250 << 20, RegularPriorityWorkers: 4, HighPriorityWorkers: 2,
	}
}

// Version is the Kolibri release whose contract this server fulfils.
const Version = "0.19.5"

// Pages renders Kolibri's HTML pages; the server provides it to the plugins that own them.
type Pages interface {
	// Page answers with a page ("learn", "learn/my-downloads", "setup" ...) in the request's
	// language. data holds, by bundle id, the plugin data that depends on the database. A page that is
	// the same for everybody is cached for a few seconds and has an ETag
	// (kolibri/core/decorators.py: cache_no_user_data).
	Page(r *Request, name string, sameForAll bool, data map[string]map[string]any) (*Response, error)
	// Presets are the kinds of files that the built viewers show; nodes with others are hidden
	// (kolibri/core/content/utils/content_types_tools.py).
	Presets() []string
	// HasLanguage tells whether a language is on offer.
	HasLanguage(code string) bool
	// Text translates a text of the back end, as gettext's pgettext does: context may be empty, and
	// a text without translation stays as it is.
	Text(lang, context, text string) string
}
