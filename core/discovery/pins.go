package discovery

import (
	"errors"
	"strconv"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// pin is a device whose library a person wants to have at hand.
// kolibri/core/discovery/models.py: PinnedDevice
type pin struct {
	InstanceID string `json:"instance_id"`
	ID         int64  `json:"id"`
}

func scanPin(row store.Scanner) (p pin, err error) { return p, row.Scan(&p.InstanceID, &p.ID) }

var pinFields = []api.Field{{Name: "instance_id", Clean: api.CleanUUID}}

// listPins: kolibri/core/discovery/api.py: PinnedDeviceViewSet
func (d *Discovery) listPins(r *api.Request) (any, error) {
	who, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	return store.Select(r.Tx, scanPin, "SELECT instance_id, id FROM discovery_pinneddevice WHERE user_id = ? ORDER BY id", who.ID)
}

// findPin is the person's own pin of the path.
func (d *Discovery) findPin(r *api.Request) (p pin, who *auth.Person, err error) {
	if who, err = auth.RequireSignedIn(r); err != nil {
		return p, nil, err
	}
	id, err := strconv.ParseInt(r.Param("pk"), 10, 64)
	if err != nil {
		return p, nil, r.NotFound()
	}
	p, err = store.Get(r.Tx, scanPin, "SELECT instance_id, id FROM discovery_pinneddevice WHERE user_id = ? AND id = ?", who.ID, id)
	if errors.Is(err, store.ErrNotFound) {
		err = r.NotFound()
	}
	return p, who, err
}

func (d *Discovery) showPin(r *api.Request) (any, error) {
	p, _, err := d.findPin(r)
	return p, err
}

func (d *Discovery) pin(r *api.Request) (any, error) {
	who, err := auth.RequireSignedIn(r)
	if err != nil {
		return nil, err
	}
	p, err := d.readPin(r, pin{}, who, false)
	if err != nil {
		return nil, err
	}
	p.ID, err = r.Tx.Insert("INSERT INTO discovery_pinneddevice (instance_id, user_id, created) VALUES (?, ?, ?)", p.InstanceID, who.ID, r.Now())
	return api.Created(p), err
}

func (d *Discovery) changePin(r *api.Request) (any, error) {
	p, who, err := d.findPin(r)
	if err != nil {
		return nil, err
	}
	if p, err = d.readPin(r, p, who, r.HTTP.Method == "PATCH"); err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("UPDATE discovery_pinneddevice SET instance_id = ? WHERE id = ?", p.InstanceID, p.ID)
	return p, err
}

// readPin reads the body; a device can be pinned once.
func (d *Discovery) readPin(r *api.Request, p pin, who *auth.Person, partial bool) (pin, error) {
	body, err := r.Object()
	if err != nil {
		return p, err
	}
	v, err := r.Clean(body, pinFields, partial)
	if err != nil {
		return p, err
	}
	if v.Has("instance_id") {
		p.InstanceID = v.String("instance_id")
	}
	twice, err := r.Tx.Exists("SELECT 1 FROM discovery_pinneddevice WHERE user_id = ? AND instance_id = ? AND id <> ?", who.ID, p.InstanceID, p.ID)
	if err == nil && twice {
		err = api.FieldError(api.Unique, "instance_id", "This device is pinned already.")
	}
	return p, err
}

func (d *Discovery) unpin(r *api.Request) (any, error) {
	p, _, err := d.findPin(r)
	if err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("DELETE FROM discovery_pinneddevice WHERE id = ?", p.ID)
	return api.NoContent(), err
}
