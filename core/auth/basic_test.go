package auth_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/server/servertest"
)

// Who names no facility must be a superuser, and who names one that is not here is nobody.
// kolibri/core/auth/backends.py: FacilityUserBackend
func TestCredentialsOfOtherDevices(t *testing.T) {
	w := servertest.NewWorld(t)
	unknown := strings.Repeat("a", 32)
	for user, want := range map[string]int{
		"superuser": 200, "SUPERUSER": 200, "username=superuser": 200, "username=superuser&facility=": 200, "username=superuser&x=y": 200,
		"username=superuser&facility={facility}": 200, "username=superuser&facility={other_facility}": 200,
		"username=superuser&facility=" + unknown: 401, "username=superuser&facility=x": 401, "username=superuser&x": 401, "username=a=b": 401,
		"learner": 401, "username=learner": 401, "username=learner&facility=" + unknown: 401, "username=learner&facility={other_facility}": 401,
		"username=learner&facility={facility}": 200, "username=LEARNER&facility={facility}": 200, "username=coach&facility={facility}": 200,
		"admin": 401, "username=admin&facility={facility}": 200, "": 401, "nobody": 401, "username=nobody&facility={facility}": 401,
	} {
		for password, allowed := range map[string]bool{servertest.Password: true, "wrong": false, "": false} {
			r, err := http.NewRequest(http.MethodGet, w.HTTP.URL+"/api/public/facilityuser/", nil)
			require.NoError(t, err)
			r.SetBasicAuth(w.Path(user), password)
			expected := want
			if !allowed {
				expected = 401
			}
			require.Equal(t, expected, w.Client(t).Send(r).Status, "%q %q", user, password)
		}
	}
	require.Equal(t, 401, w.Client(t).Get("/api/public/facilityuser/").Status, "without any")
}
