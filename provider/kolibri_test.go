package provider_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// png is a picture of one pixel.
const png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestPicturesInAnswersAreHosted(t *testing.T) {
	w := servertest.NewWorld(t)
	library := &servertest.School{Server: w.Server}
	library.Channel(t, servertest.Node{Title: "Maths", Kind: "topic"})
	library.Channel(t, servertest.Node{Title: "Physics", Kind: "topic"})
	w.Exec(t, "UPDATE content_channelmetadata SET thumbnail = ? WHERE name = 'Maths'", png)
	w.Exec(t, "UPDATE content_channelmetadata SET thumbnail = 'data:image/png;base64,bm9uZQ==' WHERE name = 'Physics'")
	s := newService(t)
	s.register("1", w.HTTP.URL, "superuser", servertest.Password)
	icons := map[any]string{}
	for _, c := range s.get("/api/courses?id=1&kind=channel").items(t) {
		icons[c["name"]], _ = c["icon_url"].(string)
	}
	require.Regexp(t, `^/pictures/[0-9a-f]{64}\.png$`, icons["Maths"])
	require.Empty(t, icons["Physics"], "what is no picture has no address")
	a := s.get(icons["Maths"], "Authorization", "")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, "image/png", a.header.Get("Content-Type"))
	require.Contains(t, a.header.Get("Cache-Control"), "immutable")
}

func TestAKolibriIsListed(t *testing.T) {
	w := servertest.NewWorld(t)
	s := newService(t)
	s.register("1", w.HTTP.URL, "superuser", servertest.Password)
	var names []string
	for _, u := range s.get("/api/users?id=1").items(t) {
		names = append(names, u["username"].(string))
	}
	require.ElementsMatch(t, []string{"superuser", "admin", "coach", "classcoach", "learner", "learner2", "learner3", "loner"}, names)
	courses := s.get("/api/courses?id=1&kind=class").items(t)
	require.Len(t, courses, 2)
	enrolled := s.get("/api/enrolments?id=1&course_id=" + w.IDs["class_a"]).items(t)
	require.Len(t, enrolled, 3, "two learners and a coach")
	require.Empty(t, s.get("/api/content?id=1").items(t))
	for _, object := range []string{"milestones", "activity"} {
		require.Empty(t, s.get("/api/"+object+"?id=1").items(t))
	}
	made := s.do(http.MethodPost, "/api/users?id=1", map[string]string{"username": "new", "name": "Neu", "password": "long-enough"})
	require.Equal(t, http.StatusCreated, made.status, made.text)
	twice := s.do(http.MethodPost, "/api/users?id=1", map[string]string{"username": "new", "name": "Neu", "password": "long-enough"})
	require.Equal(t, "provider_refuses_values", twice.code())
	require.Contains(t, twice.text, "USERNAME_ALREADY_EXISTS")
	require.Len(t, s.get("/api/users?id=1").items(t), 9, "a change is seen at once")
}
