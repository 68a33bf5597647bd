package device

import (
	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
)

// name shows what the device is called. kolibri/core/device/api.py: DeviceNameView
func (d *Device) name(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"name": s.Name}, nil
}

var nameFields = []api.Field{{Name: "name", Clean: api.CleanString(maxName, false)}}

// rename calls the device something else.
func (d *Device) rename(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	v, err := r.Clean(body, nameFields, false)
	if err != nil {
		return nil, err
	}
	s, err := settings.Get(r.Tx)
	if err != nil {
		return nil, err
	}
	s.Name = v.String("name")
	if err := s.Save(r.Tx); err != nil {
		return nil, err
	}
	return map[string]string{"name": s.Name}, nil
}
