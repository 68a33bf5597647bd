//go:build unix

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store/postgres/pgtest"
)

// driver is what the original needs for PostgreSQL and does not bring.
const driver = "psycopg2-binary==2.9.13"

// requireDriver makes sure that the original can speak to PostgreSQL. Only an original that this
// package has installed itself gets the driver; others' are left alone.
func requireDriver(t *testing.T, original string) {
	bin := filepath.Dir(original)
	if exec.Command(filepath.Join(bin, "python"), "-c", "import psycopg2").Run() == nil {
		return
	}
	if os.Getenv(reference) != "" {
		t.Skip(reference + " has no psycopg2")
	}
	out, err := exec.Command(filepath.Join(bin, "pip"), "install", "--quiet", "--disable-pip-version-check", driver).CombinedOutput()
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("psycopg2 cannot be installed here: ", string(out))
	}
	require.NoError(t, err, string(out))
}

// One PostgreSQL database, made by either program, is opened by the other, with everything in it.
func TestOnePostgresDatabase(t *testing.T) {
	takesMinutes(t)
	p := findPrograms(t)
	requireDriver(t, p.original)
	server := pgtest.Start(t)
	for _, order := range [][2]string{{p.ours, p.original}, {p.original, p.ours}} {
		name := "made_by_" + map[bool]string{true: "ours", false: "the_original"}[order[0] == p.ours]
		t.Run(name, func(t *testing.T) {
			server.CreateDatabase(t, name)
			s := newSite(t, p)
			require.NoError(t, os.MkdirAll(s.home, 0o755))
			s.env = append(s.env, "KOLIBRI_DATABASE_ENGINE=postgres", "KOLIBRI_DATABASE_NAME="+name, "KOLIBRI_DATABASE_USER=postgres",
				"KOLIBRI_DATABASE_HOST="+server.Host, "KOLIBRI_DATABASE_PORT="+strconv.Itoa(server.Port))
			s.provision(order[0], "Größe 学校 مدرسة")
			s.start(order[0])
			facility := s.signIn("admin")
			s.add(facility, "zoë", "Zoë Œuvre")
			mine := s.people()
			s.stop(syscall.SIGTERM)

			s.start(order[1])
			require.Equal(t, facility, s.signIn("admin"))
			require.Equal(t, mine, s.people())
			s.signIn("zoë")
			s.signIn("admin")
			s.add(facility, "علي", "علي بن علي")
			s.send("POST", "/api/auth/classroom/", map[string]any{"name": "Klasse", "parent": facility}, 201)
			theirs := s.people()
			s.stop(syscall.SIGTERM)

			s.start(order[0])
			s.signIn("admin")
			require.Equal(t, theirs, s.people())
			require.Len(t, s.send("GET", "/api/auth/classroom/", nil, 200), 1)
			s.stop(syscall.SIGTERM)
		})
	}
}
