package servertest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/server"
	"kolibri/store"
)

// School is a small facility on a device that is set up, for tests of apps whose own business is
// not making accounts. Ids are fixed, one for each name: see ID.
//
// Class A has the learner and learner2, who is in its group A1 too, and is coached by classcoach.
// Class B has learner3. coach and admin have their roles at the facility; loner is in no class.
type School struct{ *Server }

// People are the accounts of a school, from the lowest rank to the highest.
var People = []string{"loner", "learner", "learner2", "learner3", "classcoach", "coach", "admin", "superuser"}

// ID is the id of whatever a test calls by a name.
func ID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// NewSchool starts a server with a school in it. Options are New's.
func NewSchool(t testing.TB, options ...func(*server.Config)) *School {
	t.Helper()
	s := &School{New(t, options...)}
	dataset := ID("dataset")
	collection := func(name, kind, parent string) {
		s.Exec(t, "INSERT INTO kolibriauth_collection VALUES (?, TRUE, ?, ?, ?, ?, ?, ?)",
			ID(name), name, dataset+":allusers-ro", name, kind, dataset, store.Null(parent))
	}
	s.Exec(t, `INSERT INTO kolibriauth_facilitydataset VALUES (?, TRUE, 's', 'p', '', '', TRUE, TRUE, TRUE, TRUE, TRUE, FALSE, 'nonformal', TRUE, FALSE, ?, FALSE, NULL)`,
		dataset, `{"facility":{},"on_my_own_setup":false,"pin_code":""}`)
	collection("facility", "facility", "")
	collection("class a", "classroom", ID("facility"))
	collection("class b", "classroom", ID("facility"))
	collection("group a1", "learnergroup", ID("class a"))
	for _, name := range People {
		s.Exec(t, `INSERT INTO kolibriauth_facilityuser VALUES ('', NULL, ?, TRUE, ?, ?, ?, ?, ?, ?, ?, '', '', '', NULL, NULL, NULL)`,
			ID(name), name, dataset+":user-ro:"+ID(name), name, name, store.Zoned(time.Now()), dataset, ID("facility"))
	}
	s.Exec(t, "INSERT INTO device_devicepermissions VALUES (?, TRUE, TRUE)", ID("superuser"))
	for _, r := range [][3]string{{"superuser", "facility", "admin"}, {"admin", "facility", "admin"}, {"coach", "facility", "coach"},
		{"classcoach", "facility", "classroom assignable coach"}, {"classcoach", "class a", "coach"}} {
		s.Exec(t, "INSERT INTO kolibriauth_role VALUES (?, TRUE, ?, ?, ?, ?, ?, ?)",
			ID(r[0]+r[1]), r[1], dataset+":allusers-ro", ID(r[1]), dataset, ID(r[0]), r[2])
	}
	for _, m := range [][2]string{{"learner", "class a"}, {"learner2", "class a"}, {"learner2", "group a1"}, {"learner3", "class b"}} {
		s.Exec(t, "INSERT INTO kolibriauth_membership VALUES (?, TRUE, ?, ?, ?, ?, ?)",
			ID(m[1]+m[0]), m[1], dataset+":allusers-ro", ID(m[1]), dataset, ID(m[0]))
	}
	s.Exec(t, `INSERT INTO morango_certificate (id, profile, scope_version, scope_params, public_key, serialized, signature, lft, rght, tree_id, level, scope_definition_id, private_key, salt)
		VALUES (?, 'facilitydata', 1, '{}', '', '', '', 1, 2, 1, 0, 'full-facility', 'key', '')`, dataset)
	s.Exec(t, `INSERT INTO device_devicesettings (id, is_provisioned, language_id, default_facility_id, allow_guest_access, allow_learner_unassigned_resource_access,
		allow_peer_unlisted_channel_import, landing_page, name, allow_other_browsers_to_connect, subset_of_users_device, extra_settings)
		VALUES (1, TRUE, 'en', ?, TRUE, TRUE, FALSE, 'sign-in', 'Device', TRUE, FALSE, '{}')`, ID("facility"))
	return s
}

// Exec changes the database behind the server's back.
func (s *Server) Exec(t testing.TB, query string, args ...any) {
	t.Helper()
	require.NoError(t, s.DB.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	}))
}

// As opens a browser in which somebody of the school is signed in; "anonymous" is nobody.
func (s *School) As(t testing.TB, name string) *Client {
	t.Helper()
	c := s.Client(t)
	if name == "anonymous" {
		return c
	}
	key := strings.ReplaceAll(ID(name), "0", "k")
	s.Exec(t, `INSERT INTO kolibriauth_session VALUES (?, '{}', ?, ?) ON CONFLICT (session_key) DO NOTHING`, key, time.Now().Add(time.Hour), ID(name))
	base, err := url.Parse(s.HTTP.URL)
	require.NoError(t, err)
	c.http.Jar.SetCookies(base, []*http.Cookie{{Name: "kolibri", Value: key, Path: "/"}, {Name: "kolibri_csrftoken", Value: strings.Repeat("t", 64), Path: "/"}})
	return c
}
