package userprofile_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/server"
	"kolibri/server/servertest"
	"kolibri/store"
)

func TestOnMyOwnSetup(t *testing.T) {
	w := servertest.NewWorld(t)
	refused := w.As(t, "anonymous").Get("/profile/api/onmyownsetup")
	require.Equal(t, 403, refused.Status)
	require.Equal(t, "NOT_AUTHENTICATED", refused.Field("0", "id"))
	for _, name := range servertest.Everybody[1:] {
		require.Equal(t, map[string]any{"on_my_own_setup": false}, w.As(t, name).Get("/profile/api/onmyownsetup").JSON)
	}
	require.NoError(t, w.DB.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(`UPDATE kolibriauth_facilitydataset SET extra_fields = '{"on_my_own_setup":true}'`)
		return err
	}))
	require.Equal(t, map[string]any{"on_my_own_setup": true}, w.As(t, "learner").Get("/profile/api/onmyownsetup").JSON)
}

func TestAMergedUserSignsInByToken(t *testing.T) {
	w := servertest.NewWorld(t, func(c *server.Config) { c.Secret = []byte("secret") })
	token := auth.MakeToken(&api.Host{Secret: []byte("secret")}, time.Now(), w.IDs["learner"])
	c := w.As(t, "learner2")
	post := func(pk, token any) *servertest.Answer {
		return c.Post("/profile/api/loginmergeduser", map[string]any{"pk": pk, "token": token})
	}
	for _, a := range []*servertest.Answer{post(w.IDs["admin"], token), post(w.IDs["learner"], "no"), post("nope", token), post(nil, 5)} {
		require.Equal(t, 401, a.Status)
		require.Equal(t, map[string]any{"error": "Unauthorized"}, a.JSON)
	}
	require.Equal(t, 400, c.Post("/profile/api/loginmergeduser", "[]").Status)
	done := post(w.IDs["learner"], token)
	require.Equal(t, 200, done.Status, done.Text)
	require.Equal(t, map[string]any{"success": true, "picture_password": nil}, done.JSON)
	require.Equal(t, "learner", c.Put("/api/auth/session/current/", map[string]any{}).Field("username"))
}
