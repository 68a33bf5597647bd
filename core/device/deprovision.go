package device

import (
	"context"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/tasks"
	"kolibri/store"
)

// deprovision makes the device new again: all facilities with their people and everything people
// did are removed from it, and the wizard comes next. Content stays. Other devices hear nothing of
// it; this one gets a new identity. kolibri/core/auth/utils/deprovision.py
func deprovision(tx *store.Tx, h *api.Host) error {
	ids, err := tx.Strings("SELECT id FROM kolibriauth_collection WHERE kind = ?", auth.KindFacility)
	if err != nil {
		return err
	}
	for _, id := range ids {
		facility, err := auth.LoadCollection(tx, id)
		if err != nil {
			return err
		}
		if err := auth.ForgetFacility(tx, facility); err != nil {
			return err
		}
	}
	for _, table := range []string{"device_devicesettings", "device_devicepermissions", "device_osuser", "device_usersyncstatus", "device_syncqueue",
		"morango_harddeletedmodels", "morango_instanceidmodel", "morango_databaseidmodel", "kolibriauth_session"} {
		if _, err := tx.Exec("DELETE FROM " + table); err != nil {
			return err
		}
	}
	if err := tasks.Clear(tx, ""); err != nil {
		return err
	}
	return Identify(tx, h)
}

// runDeprovisioning is the task by which a learn-only device is given up whose superusers are gone.
// kolibri/core/device/tasks.py: deprovisiondevice
func (d *Device) runDeprovisioning(_ context.Context, t *tasks.Task) (any, error) {
	return nil, t.Write(func(tx *store.Tx) error {
		if err := deprovision(tx, d.host); err != nil {
			return err
		}
		return t.Complete(tx, nil)
	})
}
