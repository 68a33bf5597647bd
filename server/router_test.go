package server

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryURLIsFoundByItsOwnPath(t *testing.T) {
	urls := parseURLs(urlTable)
	require.Len(t, urls, 213)
	rt := newRouter(urls, nil)
	for _, tc := range []struct {
		path, name string
		params     map[string]string
	}{
		{"/api/auth/classroom/", "kolibri:core:classroom-list", nil},
		{"/api/auth/classroom/abc/", "kolibri:core:classroom-detail", map[string]string{"pk": "abc"}},
		{"/api/auth/classroom/a%20b/", "kolibri:core:classroom-detail", map[string]string{"pk": "a b"}},
		{"/api/auth/classroom/a.b/", "", nil},
		{"/api/auth/role/abc.json", "kolibri:core:role-detail", map[string]string{"pk": "abc", "format": "json"}},
		{"/api/auth/role.json/", "kolibri:core:role-list", map[string]string{"format": "json"}},
		{"/api/auth/deletedfacilityuser/restore/", "kolibri:core:deletedfacilityuser-restore", nil},
		{"/api/tasks/tasks/clearall/", "kolibri:core:task-clearall", nil},
		{"/api/auth/usernameavailable", "kolibri:core:usernameavailable", nil},
		{"/api/auth/usernameavailable/", "", nil},
		{"/learn/api/state", "kolibri:kolibri.plugins.learn:state", nil},
		{"/learn/api/state/", "kolibri:kolibri.plugins.learn:state", nil},
		{"/en/learn/my-downloads", "kolibri:kolibri.plugins.learn:my_downloads", map[string]string{"lang": "en"}},
		{"/en/learn/my-downloads/", "", nil},
		{"/en/", "kolibri:core:root_redirect", map[string]string{"lang": "en"}},
		{"/", "", nil},
		{"/api/auth/ispinvalid/0123456789abcdef0123456789abcdef", "kolibri:core:ispinvalid", map[string]string{"pk": "0123456789abcdef0123456789abcdef"}},
		{"/api/auth/ispinvalid/xyz", "", nil},
		{"/api/auth/%zz/", "", nil},
	} {
		t.Run(tc.path, func(t *testing.T) {
			r, params := rt.find(tc.path)
			if tc.name == "" {
				require.Nil(t, r)
				return
			}
			require.NotNil(t, r)
			require.Equal(t, tc.name, r.Name)
			require.Equal(t, tc.params, params)
		})
	}
}

func TestViewNamesAreTheOriginals(t *testing.T) {
	for _, tc := range []struct{ view, name, method, action, want string }{
		{"LessonViewset", "x-list", "GET", "list", "Lesson Viewset List"},
		{"FacilityUserViewSet", "x-detail", "GET", "retrieve", "Facility User Instance"},
		{"CSVExportView", "x", "GET", "", "Csv Export"},
		{"FacilityDatasetViewSet", "x-update-pin", "PATCH", "update_pin", "Update pin"},
	} {
		u := url{View: tc.view, Name: tc.name, Actions: map[string]string{tc.method: tc.action}}
		require.Equal(t, tc.want, u.viewName(tc.method))
	}
}

func FuzzFind(f *testing.F) {
	rt := newRouter(parseURLs(urlTable), nil)
	f.Add("/api/auth/role/abc.json")
	f.Add("//")
	f.Add("/en/../x/%2f")
	f.Fuzz(func(t *testing.T, path string) { rt.find(path) })
}
