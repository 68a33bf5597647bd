//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kolibri/core/api"
)

// settings are the options of one home: what handlers see, and what only this command needs.
type settings struct {
	api.Options
	Database       database
	ContentDir     string
	FallbackDirs   []string
	ZipListenPort  int // where zip content is served; 0 is any free port
	SocketTimeout  time.Duration
	JobStorageFile string
	// AtOnce is how many requests are worked on, QueueSize how many more may wait, for QueueTimeout at
	// the most, before they are told to come again later.
	AtOnce, QueueSize int
	QueueTimeout      time.Duration
	// DrainTime is how long a server that is told to end goes on serving while it says that it is not
	// ready, so that what stands before it sends new requests elsewhere.
	DrainTime    time.Duration
	LogFormat    string // text or json
	LogRequests  bool   // json, unless KOLIBRI_DISABLE_REQUEST_LOGGING
	MetricsToken string // who bears it may read /metrics from afar

	// warnings tell what was passed over, to be logged once a log is there.
	warnings []string
}

// database says where the tables are (section Database).
type database struct {
	Engine, Name, User, Password, Host, Port, SSLMode, SSLRootCert string
	PasswordFile                                                   string // read when Password is empty
	Connections                                                    int    // 0: as many as the driver's package thinks fit
}

const optionsFile = "options.ini"

// loadSettings reads options.ini of the home, then KOLIBRI_* variables, which win
// (kolibri/utils/options.py: read_options_file). Every wrong value is reported, not only the first;
// unknown names are passed over with a warning, as the original does, and with a guess at what was meant.
func loadSettings(home string, environ []string) (*settings, error) {
	s := &settings{Options: api.DefaultOptions(), Database: database{Engine: "sqlite"},
		ContentDir: filepath.Join(home, "content"), SocketTimeout: 10 * time.Second,
		AtOnce: 64, QueueSize: 512, QueueTimeout: 10 * time.Second, LogFormat: "text",
		JobStorageFile: filepath.Join(home, "job_storage.sqlite3")}
	s.Home = home
	entries, err := readINI(filepath.Join(home, optionsFile))
	if err != nil {
		return nil, err
	}
	env := variables(environ)
	var wrong []string
	overridden := map[*option]bool{}
	for i := range options {
		o := &options[i]
		for _, name := range o.variables() {
			value, ok := env[name]
			if !ok {
				continue
			}
			if err := o.apply(s, value); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s: %v", name, err))
			}
			overridden[o] = true
			break
		}
	}
	for _, e := range entries {
		at := fmt.Sprintf("%s line %d", optionsFile, e.line)
		o := findOption(e.section, e.name)
		switch {
		case o == nil:
			s.warnings = append(s.warnings, at+": "+unknownEntry(e)+"; it has no effect")
		case overridden[o]:
		default:
			if err := o.apply(s, e.value); err != nil {
				wrong = append(wrong, fmt.Sprintf("%s, [%s] %s: %v", at, o.section, o.name, err))
			}
		}
	}
	for name := range env {
		switch guess := unknownVariable(name); {
		case guess == "":
		case strings.HasPrefix(guess, "KOLIBRI_DATABASE_"):
			// passing over this one could mean another database, or one without TLS
			wrong = append(wrong, fmt.Sprintf("there is no option %s; did you mean %s?", name, guess))
		default:
			s.warnings = append(s.warnings, fmt.Sprintf("there is no option %s; did you mean %s? It has no effect", name, guess))
		}
	}
	slices.Sort(s.warnings)
	slices.Sort(wrong)
	if wrong != nil {
		return nil, fmt.Errorf("the options cannot be used:\n  %s", strings.Join(append(wrong, s.warnings...), "\n  "))
	}
	if path := s.Database.PasswordFile; path != "" && s.Database.Password == "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("DATABASE_PASSWORD_FILE: %w", err)
		}
		s.Database.Password = strings.TrimRight(string(text), "\r\n")
	}
	quiet, _ := asBool(env["KOLIBRI_DISABLE_REQUEST_LOGGING"])
	s.LogRequests = s.LogFormat == "json" && !quiet
	// an origin that is only a port is this host's, on the port that a proxy in front of it has
	if port, err := asPort(s.ZipContentOrigin); err == nil {
		s.ZipContentPort, s.ZipContentOrigin = port, ""
	}
	return s, nil
}

func variables(environ []string) map[string]string {
	env := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "KOLIBRI_") || name == "CENTRAL_CONTENT_DOWNLOAD_BASE_URL" {
			env[name] = value
		}
	}
	return env
}

func findOption(section, name string) *option {
	for i := range options {
		if o := &options[i]; o.section == section && (o.name == name || slices.Contains(o.aliases, name)) {
			return o
		}
	}
	return nil
}

// unknownEntry says what is wrong with a line whose name no section has, or another section.
func unknownEntry(e entry) string {
	sections, names := []string{}, []string{}
	for _, o := range options {
		if o.name == e.name && o.section != e.section {
			return fmt.Sprintf("%s stands in [%s] but belongs to [%s]", e.name, e.section, o.section)
		}
		sections = append(sections, o.section)
		if o.section == e.section {
			names = append(names, o.name)
		}
	}
	if !slices.Contains(sections, e.section) {
		return fmt.Sprintf("there is no section [%s]", e.section) + guess(nearest(e.section, sections))
	}
	return fmt.Sprintf("there is no option %s in [%s]", e.name, e.section) + guess(nearest(e.name, names))
}

func guess(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

// otherVariables are KOLIBRI_* names that are no options.
var otherVariables = []string{"KOLIBRI_HOME", buildVariable, "KOLIBRI_NO_FILE_BASED_LOGGING", "KOLIBRI_APK_VERSION_NAME",
	"KOLIBRI_NO_C_EXTENSIONS", "KOLIBRI_DISABLE_REQUEST_LOGGING", "KOLIBRI_PLUGIN_APPLY", "KOLIBRI_PLUGIN_ENABLE",
	"KOLIBRI_PLUGIN_DISABLE", "KOLIBRI_INSTALLATION_TYPE", "KOLIBRI_INSTALLER_VERSION", "KOLIBRI_DEVELOPER_MODE"}

// unknownVariable returns the option a misspelt variable probably means, or "".
func unknownVariable(name string) string {
	known := slices.Clone(otherVariables)
	for i := range options {
		known = append(known, options[i].variables()...)
	}
	if slices.Contains(known, name) {
		return ""
	}
	return nearest(name, known)
}

// nearest finds the name that a slip of the hand away from typed: at most two letters wrong, missing or too many.
func nearest(typed string, names []string) string {
	best, distance := "", 3
	for _, n := range names {
		if d := editDistance(strings.ToUpper(typed), strings.ToUpper(n)); d < distance {
			best, distance = n, d
		}
	}
	return best
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// homeDir is KOLIBRI_HOME, or .kolibri in the user's home.
func homeDir() (string, error) {
	dir := os.Getenv("KOLIBRI_HOME")
	if dir == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("set KOLIBRI_HOME: %w", err)
		}
		dir = filepath.Join(user, ".kolibri")
	}
	if rest, ok := strings.CutPrefix(dir, "~/"); ok {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(user, rest)
	}
	return filepath.Abs(dir)
}
