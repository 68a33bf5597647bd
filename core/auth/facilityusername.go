package auth

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/store"
)

// usernameRoutes: the names that the sign-in page proposes, of learners who sign in without a
// password or by pictures. In the app, where one family shares a device, all names.
// kolibri/core/auth/api.py: FacilityUsernameViewSet
func usernameRoutes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:facilityusername-list", Method: http.MethodGet, Handle: func(r *api.Request) (any, error) {
			q, err := openUsernames(r)
			if err != nil {
				return nil, err
			}
			return readUsernames(r.Tx, q)
		}},
		{Name: "kolibri:core:facilityusername-detail", Method: http.MethodGet, Handle: func(r *api.Request) (any, error) {
			q, err := openUsernames(r)
			if err != nil {
				return nil, err
			}
			id, ok := api.ParseUUID(r.Param("pk"))
			if !ok {
				return nil, r.NotFound()
			}
			names, err := readUsernames(r.Tx, q.Where("u.id = ?", id))
			if err != nil {
				return nil, err
			}
			if len(names) == 0 {
				return nil, r.NotFound()
			}
			return names[0], nil
		}},
	}
}

type openUsername struct {
	Username string `json:"username"`
}

func readUsernames(tx *store.Tx, q *api.Query) ([]openUsername, error) {
	text, args := q.SQL("u.username")
	return store.Select(tx, func(s store.Scanner) (n openUsername, err error) { return n, s.Scan(&n.Username) }, text, args...)
}

func openUsernames(r *api.Request) (*api.Query, error) {
	q := &api.Query{From: `kolibriauth_facilityuser u JOIN kolibriauth_facilitydataset f ON f.id = u.dataset_id
		LEFT JOIN device_devicepermissions d ON d.user_id = u.id`, Order: "u.id"}
	q.Where("u.date_deleted IS NULL")
	app, err := AppContext(r)
	if err != nil {
		return nil, err
	}
	if !app {
		q.Where("f.learner_can_login_with_no_password = TRUE OR f.picture_password_settings IS NOT NULL AND f.picture_password_settings <> 'null'").
			Where("d.is_superuser IS NULL OR d.is_superuser = FALSE").
			Where("NOT EXISTS (SELECT 1 FROM kolibriauth_role r WHERE r.user_id = u.id)")
	}
	if v := r.Query().Get("facility"); v != "" {
		id, _, _ := cleanFacility(r, v)
		if id == nil {
			return nil, api.FieldError(api.InvalidChoice, "facility", "Select a valid choice. That choice is not one of the available choices.")
		}
		q.Where("u.facility_id = ?", id)
	}
	for _, word := range searchWords(r.Query().Get("search")) {
		like(q, r.Tx.Dialect(), "", word, "u.username")
	}
	return q, nil
}
