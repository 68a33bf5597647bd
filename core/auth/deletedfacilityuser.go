package auth

import (
	"net/http"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/store"
)

// deletedUserView answers for accounts that were deleted and can still be restored.
// kolibri/core/auth/api.py: DeletedFacilityUserViewSet
type deletedUserView struct{ *accounts }

func (v deletedUserView) routes() []api.Route {
	const list, detail = "kolibri:core:deletedfacilityuser-list", "kolibri:core:deletedfacilityuser-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: deletedUsers.list},
		{Name: list, Method: http.MethodDelete, Handle: v.purgeMany},
		{Name: detail, Method: http.MethodGet, Handle: deletedUsers.retrieve},
		{Name: detail, Method: http.MethodDelete, Handle: v.purge},
		{Name: "kolibri:core:deletedfacilityuser-restore", Method: http.MethodPost, Handle: v.restore},
	}
}

// purge deletes an account for good, with all that belongs to it.
func (v deletedUserView) purge(r *api.Request) (any, error) {
	u, err := userOfPath(r, deletedUsers, "pk", Delete)
	if err != nil {
		return nil, err
	}
	return nil, PurgeUsers(r.Tx, morango.Delete, u.ID)
}

// purgeMany deletes the accounts that the filters name for good.
func (v deletedUserView) purgeMany(r *api.Request) (any, error) {
	ids, err := deletable(r, deletedUsers)
	if err != nil {
		return nil, err
	}
	if !narrowed(r) {
		return narrowFirst(), nil
	}
	return nil, PurgeUsers(r.Tx, morango.Delete, ids...)
}

// restore brings back the accounts that the filters name. The original lets everybody do that; we
// restrict it to those who may read the accounts.
func (v deletedUserView) restore(r *api.Request) (any, error) {
	if !narrowed(r) {
		return narrowFirst(), nil
	}
	q, err := deletedUsers.query(r)
	if err != nil {
		return nil, err
	}
	if err := OnlyReadable(r, q.Query, Users, "u"); err != nil {
		return nil, err
	}
	text, args := q.find("u.id")
	ids, err := r.Tx.Strings(text, args...)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, r.NotFound()
	}
	for chunk := range chunks(ids) {
		if _, err := morango.UpdateWhere(r.Tx, morango.FacilityUser, morango.Row{"date_deleted": nil}, "id IN ?", store.In(chunk)); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// PurgeUsers deletes accounts for good, with their sessions, roles, memberships and logs.
// kolibri/core/auth/models.py: FacilityUser.delete
func PurgeUsers(tx *store.Tx, how morango.Deletion, ids ...string) error {
	for chunk := range chunks(ids) {
		if err := DeleteSessions(tx, chunk); err != nil {
			return err
		}
		if err := morango.DeleteRows(tx, how, morango.FacilityUser.Table, chunk...); err != nil {
			return err
		}
	}
	return nil
}
