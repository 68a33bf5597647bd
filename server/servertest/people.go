package servertest

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/morango"
	"kolibri/server"
	"kolibri/store"
)

// Password is everybody's.
const Password = "pass-word1"

// CheapHasher derives keys in one round instead of 260000, which tests of anything else need not wait for.
type CheapHasher struct{}

// PBKDF2 implements api.Hasher.
func (CheapHasher) PBKDF2(_ context.Context, password, salt []byte, _ int) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(password), salt, 1, sha256.Size)
}

// World is a device that is set up, with the people whom the parity oracle's world of that name has,
// all made by the app's own functions and with identities as a real Kolibri gives them.
//
// Class A has the learner (in its group A1 too) and learner2 and is coached by classcoach. Class B
// has learner3, in its group B1. coach and admin have their roles at the facility, loner has no
// class. A second facility has other_admin, other_coach, other_learner and other_class.
type World struct {
	*Server
	// IDs are the ids of everything by name: facility, dataset, class_a, class_b, group_a, group_b,
	// the people, and other_facility, other_dataset, other_class and the other people.
	IDs map[string]string
}

// Everybody is the ladder of permissions: from nobody at all to the superuser.
var Everybody = []string{"anonymous", "learner", "classcoach", "coach", "admin", "superuser"}

// certificates are made once: an RSA key takes longer than most tests.
var certificates = sync.OnceValues(func() ([]*morango.Certificate, error) {
	first, err := morango.NewRootCertificate(rand.Reader)
	if err != nil {
		return nil, err
	}
	second, err := morango.NewRootCertificate(rand.Reader)
	return []*morango.Certificate{first, second}, err
})

// NewWorld starts a server with people.
func NewWorld(t testing.TB, options ...func(*server.Config)) *World {
	t.Helper()
	cheap := func(c *server.Config) { c.Hasher = CheapHasher{} }
	w := &World{New(t, append([]func(*server.Config){cheap}, options...)...), map[string]string{}}
	keys, err := certificates()
	require.NoError(t, err)
	hash, err := auth.HashPassword(context.Background(), CheapHasher{}, rand.Reader, Password)
	require.NoError(t, err)
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		b := &builder{tx: tx, ids: w.IDs, hash: hash, collections: map[string]*auth.Collection{}}
		b.school(keys[0])
		b.otherSchool(keys[1])
		return b.err
	}))
	return w
}

// As opens a browser in which somebody is signed in; "anonymous" is nobody.
func (w *World) As(t testing.TB, name string) *Client {
	t.Helper()
	c := w.Client(t)
	if name == "anonymous" {
		return c
	}
	require.Contains(t, w.IDs, name)
	session := api.NewSession()
	session.SignIn(w.IDs[name])
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error { return auth.SaveSession(tx, session, rand.Reader) }))
	base, err := url.Parse(w.HTTP.URL)
	require.NoError(t, err)
	c.http.Jar.SetCookies(base, []*http.Cookie{{Name: "kolibri", Value: session.Key, Path: "/"},
		{Name: auth.CSRFCookie, Value: strings.Repeat("t", 64), Path: "/"}})
	return c
}

// Path puts ids into a path or any other text: "{class_a}" is the id of class A.
func (w *World) Path(text string) string {
	for name, id := range w.IDs {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// builder makes a world step by step, up to its first error.
type builder struct {
	tx          *store.Tx
	ids         map[string]string
	hash        string
	collections map[string]*auth.Collection
	err         error
}

func (b *builder) school(key *morango.Certificate) {
	b.facility("facility", "dataset", "Test School", key)
	super := b.user("superuser", "facility", auth.NewUser{FullName: "Super User", Gender: auth.Deferred, BirthYear: auth.Deferred})
	b.role("superuser", "facility", auth.Admin)
	b.do(func() error { return auth.MakeSuperuser(b.tx, super) })
	b.user("admin", "facility", auth.NewUser{FullName: "Ada Admin"})
	b.user("coach", "facility", auth.NewUser{FullName: "Cora Coach"})
	b.user("classcoach", "facility", auth.NewUser{FullName: "Claude Classcoach"})
	b.user("learner", "facility", auth.NewUser{FullName: "Lea Learner", IDNumber: "L-1", Gender: "FEMALE", BirthYear: "2012"})
	b.user("learner2", "facility", auth.NewUser{FullName: "Leo Learner", Gender: "MALE", BirthYear: "2011"})
	b.user("learner3", "facility", auth.NewUser{FullName: "Lin Learner"})
	b.user("loner", "facility", auth.NewUser{FullName: "Lon Learner"})
	b.collection("class_a", auth.KindClassroom, "Class A", "facility")
	b.collection("class_b", auth.KindClassroom, "Class B", "facility")
	b.collection("group_a", auth.KindLearnerGroup, "Group A1", "class_a")
	b.collection("group_b", auth.KindLearnerGroup, "Group B1", "class_b")
	b.role("admin", "facility", auth.Admin)
	b.role("coach", "facility", auth.Coach)
	b.role("classcoach", "facility", auth.AssignableCoach)
	b.role("classcoach", "class_a", auth.Coach)
	b.members("class_a", "learner", "learner2")
	b.members("class_b", "learner3")
	b.members("group_a", "learner")
	b.members("group_b", "learner3")
	b.do(func() error {
		device := settings.Defaults(api.DefaultOptions())
		device.IsProvisioned, device.Name, device.DefaultFacility = true, "Test Device", b.ids["facility"]
		return device.Save(b.tx)
	})
}

func (b *builder) otherSchool(key *morango.Certificate) {
	b.facility("other_facility", "other_dataset", "Other School", key)
	for _, name := range []string{"other_admin", "other_coach", "other_learner"} {
		b.user(name, "other_facility", auth.NewUser{FullName: name})
	}
	b.collection("other_class", auth.KindClassroom, "Class A", "other_facility")
	b.role("other_admin", "other_facility", auth.Admin)
	b.role("other_coach", "other_facility", auth.Coach)
	b.members("other_class", "other_learner")
}

func (b *builder) do(step func() error) {
	if b.err == nil {
		b.err = step()
	}
}

func (b *builder) keep(name string, c *auth.Collection, err error) error {
	if err == nil {
		b.ids[name], b.collections[name] = c.ID, c
	}
	return err
}

func (b *builder) facility(name, dataset, title string, key *morango.Certificate) {
	b.do(func() error {
		c, err := auth.CreateFacility(b.tx, rand.Reader, auth.NewFacility{Name: title, Certificate: key})
		if err == nil {
			b.ids[dataset] = c.DatasetID
		}
		return b.keep(name, c, err)
	})
}

func (b *builder) collection(name, kind, title, parent string) {
	b.do(func() error {
		c, err := auth.CreateCollection(b.tx, rand.Reader, kind, title, b.collections[parent])
		return b.keep(name, c, err)
	})
}

func (b *builder) user(name, facility string, u auth.NewUser) string {
	b.do(func() (err error) {
		u.Username, u.Password = name, b.hash
		b.ids[name], err = auth.CreateUser(b.tx, rand.Reader, b.collections[facility], u)
		return err
	})
	return b.ids[name]
}

func (b *builder) role(user, collection, kind string) {
	b.do(func() error { return auth.AddRole(b.tx, rand.Reader, b.ids[user], b.collections[collection], kind) })
}

func (b *builder) members(collection string, users ...string) {
	b.do(func() error {
		ids := make([]string, len(users))
		for i, u := range users {
			ids[i] = b.ids[u]
		}
		return auth.AddMembers(b.tx, rand.Reader, b.collections[collection], ids...)
	})
}
