package discovery

import (
	"encoding/json"
	"errors"

	"kolibri/core/api"
	"kolibri/core/discovery/network"
	"kolibri/store"
)

// remoteFacility is a facility on another device; every field must be there, or the device's list
// is taken for empty. kolibri/core/discovery/api.py: _RemoteFacilitySerializer
type remoteFacility struct {
	ID               string           `json:"id"`
	Dataset          string           `json:"dataset"`
	Name             *string          `json:"name"`
	NoPassword       *bool            `json:"learner_can_login_with_no_password"`
	SignUp           *bool            `json:"learner_can_sign_up"`
	OnMyOwn          *bool            `json:"on_my_own_setup"`
	PicturePasswords *json.RawMessage `json:"picture_password_settings"`
}

// deviceFacilities are the facilities of another device, for somebody who wants to join or import one.
type deviceFacilities struct {
	DeviceID   string           `json:"device_id"`
	InstanceID string           `json:"instance_id"`
	DeviceName string           `json:"device_name"`
	Address    string           `json:"device_address"`
	Facilities []remoteFacility `json:"facilities"`
}

// facilities asks another device for its facilities.
// kolibri/core/discovery/api.py: NetworkLocationFacilitiesView
func (d *Discovery) facilities(r *api.Request) (any, error) {
	var l *network.Location
	err := d.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		if err := enter(r, tx); err != nil {
			return err
		}
		l, err = store.Get(tx, network.ScanLocation, "SELECT "+network.Columns+" FROM discovery_networklocation WHERE id = ?", r.Param("pk"))
		if errors.Is(err, store.ErrNotFound) {
			err = r.NotFound()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c := network.NewClient(d.host, l.BaseURL)
	answer, failure := c.Get(r.Ctx, "api/public/v1/facility/")
	l.Note(failure)
	if err := d.host.DB.Write(r.Ctx, l.Update); err != nil {
		return nil, err
	}
	if failure != nil {
		return nil, r.NotFound()
	}
	name := l.Nickname
	if name == "" {
		name = l.DeviceName
	}
	return deviceFacilities{l.ID, l.InstanceID, name, c.Base, readFacilities(answer.Body)}, nil
}

func readFacilities(text []byte) []remoteFacility {
	none := []remoteFacility{}
	var all []remoteFacility
	if json.Unmarshal(text, &all) != nil || all == nil {
		return none
	}
	for i := range all {
		f := &all[i]
		var ok, okay bool
		f.ID, ok = api.ParseUUID(f.ID)
		f.Dataset, okay = api.ParseUUID(f.Dataset)
		if !ok || !okay || f.Name == nil || f.NoPassword == nil || f.SignUp == nil || f.OnMyOwn == nil {
			return none
		}
	}
	return all
}
