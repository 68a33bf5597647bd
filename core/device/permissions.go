package device

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// grant is what a user may do on this device. kolibri/core/device/models.py: DevicePermissions
type grant struct {
	User          string `json:"user"`
	Superuser     bool   `json:"is_superuser"`
	ManageContent bool   `json:"can_manage_content"`
}

func scanGrant(row store.Scanner) (g grant, err error) {
	return g, row.Scan(&g.User, &g.Superuser, &g.ManageContent)
}

// grants are the permissions of DevicePermissions, which has no rules: superusers alone see and
// change them, and nobody changes his own.
var grants = &auth.Model{Name: "DevicePermissions"}

const grantColumns = "user_id, is_superuser, can_manage_content"

// listGrants: kolibri/core/device/api.py: DevicePermissionsViewSet
func (d *Device) listGrants(r *api.Request) (any, error) {
	q := &api.Query{From: "device_devicepermissions d", Order: "user_id"}
	if err := auth.OnlyReadable(r, q, grants, "d"); err != nil {
		return nil, err
	}
	return api.List(r, q, grantColumns, 0, scanGrant)
}

// findGrant is the row of the path, if the person may see it; who wants to change one that there is,
// and may not, is told so.
func (d *Device) findGrant(r *api.Request) (grant, *auth.Person, error) {
	who, err := auth.UserOf(r)
	if err != nil {
		return grant{}, nil, err
	}
	id, ok := api.ParseUUID(r.Param("pk"))
	if !ok || !who.IsSuperuser && r.HTTP.Method == http.MethodGet {
		return grant{}, nil, r.NotFound()
	}
	g, err := store.Get(r.Tx, scanGrant, "SELECT "+grantColumns+" FROM device_devicepermissions WHERE user_id = ?", id)
	if errors.Is(err, store.ErrNotFound) {
		return g, nil, r.NotFound()
	}
	if err == nil && !who.IsSuperuser {
		err = r.Forbidden()
	}
	return g, who, err
}

func (d *Device) showGrant(r *api.Request) (any, error) {
	g, _, err := d.findGrant(r)
	return g, err
}

var grantFields = []api.Field{
	{Name: "user", Clean: api.CleanKey("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL")},
	{Name: "is_superuser", Optional: true, Clean: api.CleanBool},
	{Name: "can_manage_content", Optional: true, Clean: api.CleanBool},
}

func (d *Device) makeGrant(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	v, err := r.Clean(body, grantFields, false)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Create, grants, auth.Object{}); err != nil {
		return nil, err
	}
	g := grant{v.String("user"), v.Bool("is_superuser"), v.Bool("can_manage_content")}
	has, err := r.Tx.Exists("SELECT 1 FROM device_devicepermissions WHERE user_id = ?", g.User)
	if err != nil {
		return nil, err
	}
	if has {
		return nil, api.FieldError(api.Unique, "user", "This field must be unique.")
	}
	return api.Created(g), auth.GrantDevice(r.Tx, g.User, g.Superuser, g.ManageContent)
}

// changeGrant changes what a user may do; fields that are left out stay, by PUT too, as the
// original's defaults make them optional.
func (d *Device) changeGrant(r *api.Request) (any, error) {
	g, who, err := d.findGrant(r)
	if err != nil {
		return nil, err
	}
	if g.User == who.ID {
		return nil, r.PermissionDenied()
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	v, err := r.Clean(body, grantFields, r.HTTP.Method == "PATCH")
	if err != nil {
		return nil, err
	}
	if v.Has("user") && v.String("user") != g.User {
		return nil, api.FieldError(api.Invalid, "user", "The user of existing permissions cannot be changed.")
	}
	if v.Has("is_superuser") {
		g.Superuser = v.Bool("is_superuser")
	}
	if v.Has("can_manage_content") {
		g.ManageContent = v.Bool("can_manage_content")
	}
	return g, auth.GrantDevice(r.Tx, g.User, g.Superuser, g.ManageContent)
}

func (d *Device) dropGrant(r *api.Request) (any, error) {
	g, who, err := d.findGrant(r)
	if err != nil {
		return nil, err
	}
	if g.User == who.ID {
		return nil, r.PermissionDenied()
	}
	_, err = r.Tx.Exec("DELETE FROM device_devicepermissions WHERE user_id = ?", g.User)
	return api.NoContent(), err
}
