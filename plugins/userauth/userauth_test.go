package userauth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

func TestTheSignInPageIsForThoseWhoAreNotSignedIn(t *testing.T) {
	w := servertest.NewWorld(t)
	for name, target := range map[string]string{"learner": "/en/learn/", "classcoach": "/en/coach/", "coach": "/en/coach/",
		"admin": "/en/facility/", "superuser": "/en/device/"} {
		a := w.As(t, name).Get("/en/auth/")
		require.Equal(t, 302, a.Status, name)
		require.Equal(t, target, a.Header.Get("Location"), name)
	}
}
