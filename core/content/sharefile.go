package content

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
)

// shareFile hands a file to another app of the device. Only the app that Kolibri is embedded in can do
// that, and no such app embeds this server: whoever comes from one is told that it failed.
// kolibri/core/content/api.py: ShareFileView
func shareFile(r *api.Request) (any, error) {
	if _, err := auth.RequireSignedIn(r); err != nil {
		return nil, err
	}
	embedded, err := auth.AppContext(r)
	if err != nil {
		return nil, err
	}
	if !embedded {
		return nil, r.PermissionDenied()
	}
	return nil, &api.Error{Status: http.StatusBadRequest, Body: map[string]any{"error": map[string]string{"id": api.ShareFileFailed}}}
}
