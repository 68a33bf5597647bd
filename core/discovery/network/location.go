package network

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// The kinds of locations.
const (
	Reserved = "reserved" // Studio and the data portal
	Static   = "static"   // typed in
	Dynamic  = "dynamic"  // found on the network
)

// The connection statuses that are not failures.
const (
	StatusOkay    = "Okay"
	StatusUnknown = "Unknown"
)

// Location is another device as this one remembers it.
// kolibri/core/discovery/models.py: NetworkLocation
type Location struct {
	ID, Type, BaseURL, Nickname                             string
	Application, KolibriVersion, InstanceID, DeviceName, OS string
	Status                                                  string
	Faults                                                  int64
	Subset, Local                                           bool
	LastKnownIP, MinContentSchema                           *string
	Added, LastAccessed                                     time.Time
}

// Columns are the columns that ScanLocation reads, of a table that is called discovery_networklocation.
const Columns = `id, location_type, base_url, nickname, application, kolibri_version, instance_id, device_name, operating_system,
	connection_status, connection_faults, subset_of_users_device, is_local, last_known_ip, min_content_schema_version, added, last_accessed`

// ScanLocation reads Columns.
func ScanLocation(row store.Scanner) (*Location, error) {
	l := &Location{}
	var added, accessed store.NullTime
	err := row.Scan(&l.ID, &l.Type, &l.BaseURL, &l.Nickname, &l.Application, &l.KolibriVersion, &l.InstanceID, &l.DeviceName, &l.OS,
		&l.Status, &l.Faults, &l.Subset, &l.Local, &l.LastKnownIP, &l.MinContentSchema, &added, &accessed)
	l.Added, l.LastAccessed = added.Time, accessed.Time
	return l, err
}

// Insert saves a new location.
func (l *Location) Insert(tx *store.Tx) error {
	l.Added, l.LastAccessed = tx.Now(), tx.Now()
	_, err := tx.Exec("INSERT INTO discovery_networklocation ("+Columns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		l.ID, l.Type, l.BaseURL, l.Nickname, l.Application, l.KolibriVersion, l.InstanceID, l.DeviceName, l.OS,
		l.Status, l.Faults, l.Subset, l.Local, l.LastKnownIP, l.MinContentSchema, l.Added, l.LastAccessed)
	return err
}

// Update saves what is known now; a location that was deleted meanwhile stays deleted.
func (l *Location) Update(tx *store.Tx) error {
	l.LastAccessed = tx.Now()
	_, err := tx.Exec(`UPDATE discovery_networklocation SET base_url = ?, nickname = ?, application = ?, kolibri_version = ?, instance_id = ?,
		device_name = ?, operating_system = ?, connection_status = ?, connection_faults = ?, subset_of_users_device = ?, is_local = ?,
		last_known_ip = ?, min_content_schema_version = ?, last_accessed = ? WHERE id = ?`,
		l.BaseURL, l.Nickname, l.Application, l.KolibriVersion, l.InstanceID, l.DeviceName, l.OS, l.Status, l.Faults, l.Subset, l.Local,
		l.LastKnownIP, l.MinContentSchema, l.LastAccessed, l.ID)
	return err
}

// Known finds the location whose base URL an address is a variation of, or returns store.ErrNotFound.
// Requests that others can cause go to known locations only, lest this server be sent anywhere.
// kolibri/core/discovery/utils/network/client.py: known_location_for_address
func Known(tx *store.Tx, text string) (*Location, error) {
	all, err := Variations(text)
	if err != nil {
		return nil, store.ErrNotFound
	}
	for _, base := range all {
		all = append(all, strings.TrimRight(base, "/"))
	}
	return store.Get(tx, ScanLocation, "SELECT "+Columns+" FROM discovery_networklocation WHERE base_url IN ? ORDER BY added LIMIT 1", store.In(all))
}

// Learn takes over what a connected device says of itself. The instance id of a reserved location
// is fixed. kolibri/core/discovery/utils/network/connections.py: capture_network_state
func (l *Location) Learn(c *Client) {
	l.BaseURL = c.Base
	if ip, err := netip.ParseAddr(c.RemoteIP); err == nil && l.Type != Dynamic {
		text := ip.Unmap().WithZone("").String()
		l.LastKnownIP, l.Local = &text, ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()
	}
	l.Application, l.KolibriVersion, l.DeviceName = c.Info.Application, c.Info.KolibriVersion, c.Info.DeviceName
	l.Subset, l.MinContentSchema = c.Info.Subset, c.Info.MinContentSchema
	l.OS = ""
	if c.Info.OperatingSystem != nil {
		l.OS = *c.Info.OperatingSystem
	}
	if l.Type != Reserved {
		l.InstanceID = c.Info.InstanceID
	}
}

// Note remembers how an attempt to speak to the device ended.
// kolibri/core/discovery/utils/network/connections.py: capture_connection_state
func (l *Location) Note(err error) {
	if err == nil {
		l.Status, l.Faults = StatusOkay, 0
		return
	}
	l.Faults++
	l.Status = "ConnectionFailure"
	var e *Error
	if errors.As(err, &e) {
		switch e.Kind {
		case ResponseTimeout, ResponseFailure, InvalidResponse, Conflict:
			l.Status = strings.TrimPrefix(e.Kind, "NetworkLocation")
		}
	}
}

// Check connects to the device and makes sure that it is still the same one; isOurs tells whether
// one of the facilities is on this device too, which settles a doubt of an earlier check.
// kolibri/core/discovery/utils/network/connections.py: update_network_location
func (l *Location) Check(ctx context.Context, h *api.Host, isOurs func(facilities []string) (bool, error)) error {
	c := NewClient(h, l.BaseURL)
	before := l.Status
	err := c.Connect(ctx)
	switch {
	case err != nil:
	case before == Conflict[len("NetworkLocation"):]:
		err = sharesFacility(ctx, c, isOurs)
	case l.Type != Reserved && l.InstanceID != "" && l.InstanceID != c.Info.InstanceID:
		err = fail(Conflict, errors.New("another device answers there"))
	}
	if err == nil {
		l.Learn(c)
	}
	l.Note(err)
	return err
}

func sharesFacility(ctx context.Context, c *Client, isOurs func([]string) (bool, error)) error {
	answer, err := c.Get(ctx, "api/public/v1/facility/")
	if err != nil {
		return err
	}
	var all []struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer.Body, &all); err != nil {
		return fail(InvalidResponse, err)
	}
	ids := make([]string, len(all))
	for i, f := range all {
		ids[i] = f.ID
	}
	ours, err := isOurs(ids)
	if err == nil && !ours {
		err = fail(Conflict, errors.New("the device there has no facility of ours"))
	}
	return err
}
