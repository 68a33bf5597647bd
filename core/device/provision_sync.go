package device

import (
	"errors"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// ProvisionSynced sets up a device that got its facility by a synchronization. user is the one person
// whose data it holds, or empty where it holds everybody's; then the account of that name becomes the
// superuser, if the device has none. An account with a password that everybody knows, which the
// original makes where no name is given, is not made.
// kolibri/core/auth/management/utils.py: create_superuser_and_provision_device;
// kolibri/core/device/utils.py: provision_single_user_device
func ProvisionSynced(tx *store.Tx, h *api.Host, dataset, username, user string) error {
	s, err := settings.Get(tx)
	if err != nil {
		return err
	}
	if !s.IsProvisioned {
		var facility auth.Collection
		if err := tx.QueryRow("SELECT id FROM kolibriauth_collection WHERE kind = ? AND dataset_id = ?", auth.KindFacility, dataset).Scan(&facility.ID); err != nil {
			return err
		}
		prepare(&s, h, &facility)
		s.IsProvisioned, s.SubsetOfUsersDevice = true, user != ""
		if err := s.Save(tx); err != nil {
			return err
		}
	}
	if user != "" {
		_, err = tx.Exec("INSERT INTO device_devicepermissions (user_id, is_superuser, can_manage_content) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", user, false, true)
		return err
	}
	some, err := tx.Exists("SELECT 1 FROM device_devicepermissions WHERE is_superuser = TRUE")
	if err != nil || some || username == "" {
		return err
	}
	var id string
	err = tx.QueryRow("SELECT id FROM kolibriauth_facilityuser WHERE username = ? AND dataset_id = ? AND date_deleted IS NULL", username, dataset).Scan(&id)
	if errors.Is(err, store.ErrNotFound) { // a superuser of the other device may be of another facility
		return nil
	}
	if err != nil {
		return err
	}
	return auth.MakeSuperuser(tx, id)
}
