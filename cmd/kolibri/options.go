//go:build unix

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// option is one of Kolibri's options (kolibri/utils/options.py: base_option_spec).
type option struct {
	section, name string
	// apply reads a value into the settings.
	apply func(*settings, string) error
	// aliases are older names in options.ini, extra further variables beside KOLIBRI_<name>.
	aliases, extra []string
}

func (o *option) variables() []string {
	names := append([]string{"KOLIBRI_" + o.name}, o.extra...)
	for _, a := range o.aliases {
		names = append(names, "KOLIBRI_"+a)
	}
	return names
}

// options are all of the original's, so that a home with an options.ini of a real Kolibri works and
// misspelt names are found. Those that say check have no meaning for this program (Redis, Google's
// storage); their values are still checked.
var options = []option{
	{section: "FileStorage", name: "STORAGE_BACKEND", apply: onlyOne("file_system", "gcs")},
	{section: "FileStorage", name: "GS_BUCKET_NAME", apply: check(asString)},
	{section: "FileStorage", name: "GS_PROJECT_ID", apply: check(asString)},
	{section: "FileStorage", name: "GS_CREDENTIALS", apply: check(asString)},
	{section: "FileStorage", name: "GS_DEFAULT_ACL", apply: check(asString)},

	{section: "Cache", name: "CACHE_BACKEND", apply: onlyOne("memory", "redis")},
	{section: "Cache", name: "CACHE_TIMEOUT", apply: check(asInt)},
	{section: "Cache", name: "CACHE_MAX_ENTRIES", apply: check(asInt)},
	{section: "Cache", name: "CACHE_PASSWORD", apply: check(asString)},
	{section: "Cache", name: "CACHE_LOCATION", apply: check(asString)},
	{section: "Cache", name: "CACHE_REDIS_DB", apply: check(asInt), aliases: []string{"CACHE_REDIS_MIN_DB"}},
	{section: "Cache", name: "CACHE_REDIS_MAX_POOL_SIZE", apply: check(asInt)},
	{section: "Cache", name: "CACHE_REDIS_POOL_TIMEOUT", apply: check(asInt)},
	{section: "Cache", name: "CACHE_REDIS_MAXMEMORY", apply: check(asInt)},
	{section: "Cache", name: "CACHE_REDIS_MAXMEMORY_POLICY", apply: check(asString)},
	{section: "Cache", name: "STREAMED_FILE_CACHE_SIZE", apply: check(asBytes)},

	{section: "Database", name: "DATABASE_ENGINE", apply: into(oneOf("sqlite", "postgres"), func(s *settings) *string { return &s.Database.Engine })},
	{section: "Database", name: "DATABASE_NAME", apply: into(asString, func(s *settings) *string { return &s.Database.Name })},
	{section: "Database", name: "DATABASE_PASSWORD", apply: into(asString, func(s *settings) *string { return &s.Database.Password })},
	{section: "Database", name: "DATABASE_USER", apply: into(asString, func(s *settings) *string { return &s.Database.User })},
	{section: "Database", name: "DATABASE_HOST", apply: into(asString, func(s *settings) *string { return &s.Database.Host })},
	{section: "Database", name: "DATABASE_PORT", apply: into(asString, func(s *settings) *string { return &s.Database.Port })},
	{section: "Database", name: "DATABASE_SSL_MODE", apply: into(oneOf("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
		func(s *settings) *string { return &s.Database.SSLMode })},
	{section: "Database", name: "DATABASE_SSL_ROOT_CERT", apply: intoPath(func(s *settings) *string { return &s.Database.SSLRootCert })},

	{section: "Server", name: "CHERRYPY_START", apply: check(asBool)},
	{section: "Server", name: "CHERRYPY_THREAD_POOL", apply: into(asCount, func(s *settings) *int { return &s.AtOnce })},
	{section: "Server", name: "CHERRYPY_SOCKET_TIMEOUT", apply: into(asSeconds, func(s *settings) *time.Duration { return &s.SocketTimeout })},
	{section: "Server", name: "CHERRYPY_QUEUE_SIZE", apply: into(asInt, func(s *settings) *int { return &s.QueueSize })},
	{section: "Server", name: "CHERRYPY_QUEUE_TIMEOUT", apply: into(asDuration, func(s *settings) *time.Duration { return &s.QueueTimeout })},
	{section: "Server", name: "PROFILE", apply: check(asBool), extra: []string{"KOLIBRI_SERVER_PROFILE"}},
	{section: "Server", name: "DEBUG", apply: into(asBool, func(s *settings) *bool { return &s.Debug })},
	{section: "Server", name: "DEBUG_LOG_DATABASE", apply: check(asBool)},

	{section: "Paths", name: "CONTENT_DIR", apply: intoPath(func(s *settings) *string { return &s.ContentDir })},
	{section: "Paths", name: "CONTENT_FALLBACK_DIRS", apply: setFallbackDirs},
	{section: "Paths", name: "AUTOMATIC_PROVISION_FILE", apply: intoPath(func(s *settings) *string { return &s.AutomaticProvisionFile })},

	{section: "Urls", name: "CENTRAL_CONTENT_BASE_URL", apply: into(asURL, func(s *settings) *string { return &s.CentralContentBaseURL }),
		extra: []string{"CENTRAL_CONTENT_DOWNLOAD_BASE_URL"}},
	{section: "Urls", name: "DATA_PORTAL_SYNCING_BASE_URL", apply: into(asURL, func(s *settings) *string { return &s.DataPortalBaseURL })},

	{section: "Deployment", name: "HTTP_PORT", apply: into(asPort, func(s *settings) *int { return &s.HTTPPort }), extra: []string{"KOLIBRI_LISTEN_PORT"}},
	{section: "Deployment", name: "RUN_MODE", apply: into(asString, func(s *settings) *string { return &s.RunMode })},
	{section: "Deployment", name: "DISABLE_PING", apply: into(asBool, func(s *settings) *bool { return &s.DisablePing })},
	{section: "Deployment", name: "URL_PATH_PREFIX", apply: into(asPrefix, func(s *settings) *string { return &s.URLPathPrefix })},
	{section: "Deployment", name: "LANGUAGES", apply: into(asLanguages, func(s *settings) *[]string { return &s.Languages })},
	{section: "Deployment", name: "ZIP_CONTENT_ORIGIN", apply: into(asOrigin, func(s *settings) *string { return &s.ZipContentOrigin })},
	{section: "Deployment", name: "ZIP_CONTENT_PORT", apply: into(asPort, func(s *settings) *int { return &s.ZipListenPort })},
	{section: "Deployment", name: "ZIP_CONTENT_URL_PATH_PREFIX", apply: into(asPrefix, func(s *settings) *string { return &s.ZipContentPathPrefix })},
	{section: "Deployment", name: "REMOTE_CONTENT", apply: into(asBool, func(s *settings) *bool { return &s.RemoteContent })},
	{section: "Deployment", name: "SYNC_INTERVAL", apply: check(asInt)},
	{section: "Deployment", name: "PROJECT", apply: check(asString)},
	{section: "Deployment", name: "MINIMUM_DISK_SPACE", apply: into(asBytes, func(s *settings) *int64 { return &s.MinimumDiskSpace })},
	{section: "Deployment", name: "LISTEN_ADDRESS", apply: into(asAddress, func(s *settings) *string { return &s.ListenAddress })},
	{section: "Deployment", name: "RESTART_HOOKS", apply: check(asString)},
	{section: "Deployment", name: "ZEROCONF_ENABLED", apply: check(asBool)},
	{section: "Deployment", name: "CSP_HOST_SOURCES", apply: into(asSources, func(s *settings) *[]string { return &s.CSPHostSources })},

	{section: "Tasks", name: "USE_WORKER_MULTIPROCESSING", apply: check(asBool)},
	{section: "Tasks", name: "REGULAR_PRIORITY_WORKERS", apply: into(asInt, func(s *settings) *int { return &s.RegularPriorityWorkers })},
	{section: "Tasks", name: "HIGH_PRIORITY_WORKERS", apply: into(asInt, func(s *settings) *int { return &s.HighPriorityWorkers })},
	{section: "Tasks", name: "JOB_STORAGE_FILEPATH", apply: intoPath(func(s *settings) *string { return &s.JobStorageFile })},

	// this program's own
	{section: "Database", name: "DATABASE_CONNECTIONS", apply: into(asCount, func(s *settings) *int { return &s.Database.Connections })},
	{section: "Database", name: "DATABASE_PASSWORD_FILE", apply: intoPath(func(s *settings) *string { return &s.Database.PasswordFile })},
	{section: "Server", name: "DRAIN_TIME", apply: into(asDuration, func(s *settings) *time.Duration { return &s.DrainTime })},
	{section: "Server", name: "LOG_FORMAT", apply: into(oneOf("text", "json"), func(s *settings) *string { return &s.LogFormat })},
	{section: "Server", name: "METRICS_TOKEN", apply: into(asString, func(s *settings) *string { return &s.MetricsToken })},
}

// into reads a value of one kind into one field of the settings.
func into[T any](read func(string) (T, error), field func(*settings) *T) func(*settings, string) error {
	return func(s *settings, text string) error {
		v, err := read(text)
		if err == nil {
			*field(s) = v
		}
		return err
	}
}

// check reads a value and does nothing with it.
func check[T any](read func(string) (T, error)) func(*settings, string) error {
	return func(_ *settings, text string) error {
		_, err := read(text)
		return err
	}
}

// intoPath reads a path, which is relative to the home.
func intoPath(field func(*settings) *string) func(*settings, string) error {
	return func(s *settings, text string) (err error) {
		if text != "" {
			text, err = inHome(s.Home, text)
		}
		*field(s) = text
		return err
	}
}

func inHome(home, path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(user, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(home, path)
	}
	return path, nil
}

func setFallbackDirs(s *settings, text string) error {
	s.FallbackDirs = nil
	for _, p := range strings.Split(text, ";") {
		if p = strings.TrimSpace(p); p == "" {
			continue
		}
		dir, err := inHome(s.Home, p)
		if err != nil {
			return err
		}
		s.FallbackDirs = append(s.FallbackDirs, dir)
	}
	return nil
}

// onlyOne is a choice of the original of which this program knows the first.
func onlyOne(supported, other string) func(*settings, string) error {
	return check(func(text string) (string, error) {
		if text == other {
			return "", fmt.Errorf("%q is not supported by this server; use %q", other, supported)
		}
		return oneOf(supported)(text)
	})
}

func oneOf(choices ...string) func(string) (string, error) {
	return func(text string) (string, error) {
		if slices.Contains(choices, text) {
			return text, nil
		}
		return "", fmt.Errorf("%q is not one of %s", text, strings.Join(choices, ", "))
	}
}

func asString(text string) (string, error) { return text, nil }

func asInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

func asCount(text string) (int, error) {
	n, err := asInt(text)
	if err == nil && n == 0 {
		err = errors.New("must be at least one")
	}
	return n, err
}

// asDuration reads seconds, which may have a fraction.
func asDuration(text string) (time.Duration, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f >= 0 && f <= 86400) { // NaN is neither
		return 0, fmt.Errorf("%q is not a number of seconds", text)
	}
	return time.Duration(f * float64(time.Second)), nil
}

func asSeconds(text string) (time.Duration, error) {
	n, err := asInt(text)
	if err == nil && n == 0 {
		err = errors.New("must be at least one second")
	}
	return time.Duration(n) * time.Second, err
}

func asPort(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 65535 {
		return 0, fmt.Errorf("%q is not a port number (0 to 65535)", text)
	}
	return n, nil
}

func asBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true", "on", "1", "yes":
		return true, nil
	case "false", "off", "0", "no":
		return false, nil
	}
	return false, fmt.Errorf("%q is not True or False", text)
}

// byteSize: kolibri/utils/data.py: bytes_from_humans; a thousand to the kilobyte.
var byteSize = regexp.MustCompile(`^([0-9]*\.?[0-9]+)([KMGTP]?)B?$`)

func asBytes(text string) (int64, error) {
	m := byteSize.FindStringSubmatch(strings.ToUpper(strings.ReplaceAll(text, " ", "")))
	if m == nil {
		return 0, fmt.Errorf("%q is not a size such as 250MB", text)
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, err
	}
	// the empty unit is found at the beginning
	for range strings.Index(" KMGTP", m[2]) {
		f *= 1000
	}
	return int64(f), nil
}

func asAddress(text string) (string, error) {
	if _, err := netip.ParseAddr(text); err != nil {
		return "", fmt.Errorf("%q is not an IP address", text)
	}
	return text, nil
}

func asURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("%q is not an http or https address", text)
	}
	return strings.TrimSuffix(text, "/"), nil
}

// asOrigin: a port alone stands for this host's origin on that port.
func asOrigin(text string) (string, error) {
	if _, err := asPort(text); text == "" || err == nil {
		return text, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", fmt.Errorf("%q is neither a port nor an origin such as https://zip.example.org", text)
	}
	return u.Scheme + "://" + u.Host, nil
}

func asPrefix(text string) (string, error) {
	if strings.ContainsAny(text, "?#%") {
		return "", fmt.Errorf("%q is not a path", text)
	}
	if text = strings.Trim(text, "/"); text == "" {
		return "/", nil
	}
	return "/" + text + "/", nil
}

var languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]+)*$`)

// asLanguages: nil stands for all.
func asLanguages(text string) ([]string, error) {
	var codes []string
	for _, code := range strings.Split(text, ",") {
		code = strings.Trim(strings.TrimSpace(code), `"'`)
		switch {
		case code == "kolibri-all", code == "kolibri-supported":
			return nil, nil
		case code == "":
		case !languageCode.MatchString(code):
			return nil, fmt.Errorf("%q is not a language code such as en or fr-fr", code)
		default:
			codes = append(codes, code)
		}
	}
	if codes == nil {
		return nil, errors.New("names no language")
	}
	return codes, nil
}

func asSources(text string) ([]string, error) {
	var sources []string
	for _, source := range strings.Split(text, ",") {
		if source = strings.TrimSpace(source); source == "" {
			continue
		}
		u, err := url.Parse(source)
		if err != nil || u.Scheme == "" || u.Host == "" || strings.ContainsAny(source, ";' \t") {
			return nil, fmt.Errorf("%q is not a source such as https://example.org", source)
		}
		sources = append(sources, source)
	}
	return sources, nil
}
