package provider_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

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
