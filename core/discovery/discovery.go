package discovery

import (
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/device/settings"
	"kolibri/core/discovery/network"
	"kolibri/core/tasks"
	"kolibri/morango"
	"kolibri/store"
)

// Discovery answers for the app: the devices that people named by their address, and those that a
// person pinned.
type Discovery struct {
	host   *api.Host
	runner *tasks.Runner
	// reached hears of devices that have answered, within the transaction that notes it.
	reached func(*store.Tx, *network.Location) error
}

// New makes the app of a host.
func New(host *api.Host, runner *tasks.Runner) *Discovery {
	return &Discovery{host, runner, func(*store.Tx, *network.Location) error { return nil }}
}

// OnReached says what shall happen when another device has answered, such as a synchronization.
func (d *Discovery) OnReached(fn func(*store.Tx, *network.Location) error) { d.reached = fn }

// keep writes what was learned of a device.
func (d *Discovery) keep(r *api.Request, l *network.Location, write func(*store.Tx) error) error {
	return d.host.DB.Write(r.Ctx, func(tx *store.Tx) error {
		if err := write(tx); err != nil {
			return err
		}
		return d.reached(tx, l)
	})
}

// Routes are those of kolibri/core/discovery/api_urls.py. The three kinds of locations answer alike,
// as in the original, whose views share one list and make static locations only. What speaks to
// other devices does so outside any transaction.
func (d *Discovery) Routes() []api.Route {
	const core = "kolibri:core:"
	routes := []api.Route{
		{Name: core + "networklocation_facilities-detail", Method: http.MethodGet, Handle: d.facilities, NoTx: true},
		{Name: core + "portal-validate-token", Method: http.MethodGet, Handle: d.validatePortalToken, NoTx: true},
		{Name: core + "portal-register", Method: http.MethodPost, Handle: d.register, NoTx: true},
		{Name: core + "pinned_devices-list", Method: http.MethodGet, Handle: d.listPins},
		{Name: core + "pinned_devices-list", Method: http.MethodPost, Handle: d.pin},
		{Name: core + "pinned_devices-detail", Method: http.MethodGet, Handle: d.showPin},
		{Name: core + "pinned_devices-detail", Method: http.MethodPut, Handle: d.changePin},
		{Name: core + "pinned_devices-detail", Method: http.MethodPatch, Handle: d.changePin},
		{Name: core + "pinned_devices-detail", Method: http.MethodDelete, Handle: d.unpin},
	}
	for _, kind := range []string{"networklocation", "staticnetworklocation", "dynamicnetworklocation"} {
		name := core + kind
		routes = append(routes,
			api.Route{Name: name + "-list", Method: http.MethodGet, Handle: d.list},
			api.Route{Name: name + "-list", Method: http.MethodPost, Handle: d.create, NoTx: true},
			api.Route{Name: name + "-detail", Method: http.MethodGet, Handle: d.show},
			api.Route{Name: name + "-detail", Method: http.MethodPut, Handle: d.update, NoTx: true},
			api.Route{Name: name + "-detail", Method: http.MethodPatch, Handle: d.update, NoTx: true},
			api.Route{Name: name + "-detail", Method: http.MethodDelete, Handle: d.remove},
			api.Route{Name: name + "-update-connection-status", Method: http.MethodPost, Handle: d.check, NoTx: true},
		)
	}
	return routes
}

// location is a location as the API shows it.
// kolibri/core/discovery/serializers.py: NetworkLocationSerializer
type location struct {
	ID             string   `json:"id"`
	Available      bool     `json:"available"`
	Nickname       string   `json:"nickname"`
	BaseURL        string   `json:"base_url"`
	DeviceName     string   `json:"device_name"`
	InstanceID     string   `json:"instance_id"`
	Added          api.Time `json:"added"`
	LastAccessed   api.Time `json:"last_accessed"`
	SinceAccessed  int64    `json:"since_last_accessed"`
	OS             string   `json:"operating_system"`
	Application    string   `json:"application"`
	KolibriVersion string   `json:"kolibri_version"`
	Subset         bool     `json:"subset_of_users_device"`
	Status         string   `json:"connection_status"`
	Local          bool     `json:"is_local"`
	Type           string   `json:"location_type"`
}

func (d *Discovery) shown(l *network.Location) location {
	const day = 24 * 60 * 60 // the original shows the seconds of a timedelta, without its days
	since := int64(d.host.DB.Now().Sub(l.LastAccessed).Seconds())
	return location{l.ID, l.BaseURL != "" && l.Status == network.StatusOkay, l.Nickname, l.BaseURL, l.DeviceName, l.InstanceID,
		api.Time(l.Added), api.Time(l.LastAccessed), (since%day + day) % day, l.OS, l.Application, l.KolibriVersion, l.Subset,
		l.Status, l.Local, l.Type}
}

// enter lets people in who are signed in, and everybody while the device is not set up.
func enter(r *api.Request, tx *store.Tx) error {
	if r.Session.UserID != "" {
		return nil
	}
	s, err := settings.Get(tx)
	if err != nil {
		return err
	}
	switch r.HTTP.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete:
		if !s.IsProvisioned {
			return nil
		}
	}
	return r.NotAuthenticated()
}

// portal is the data portal's fixed id (kolibri/core/discovery/well_known.py).
const portal = "2a824768819aa2bec5cecbc06a31ec1e"

func (d *Discovery) list(r *api.Request) (any, error) {
	if err := enter(r, r.Tx); err != nil {
		return nil, err
	}
	q := &api.Query{From: "discovery_networklocation", Order: "added, id"}
	reserved := ""
	switch r.Query().Get("syncable") {
	case "1":
		reserved = portal
	case "0":
		reserved = ServiceID(d.host.Options.CentralContentBaseURL)
	}
	q.Where("location_type IN ? OR id = ?", store.In([]string{network.Static, network.Dynamic}), reserved)
	filter(r, q)
	text, args := q.SQL(network.Columns)
	all, err := store.Select(r.Tx, network.ScanLocation, text, args...)
	if err != nil {
		return nil, err
	}
	shown := make([]location, len(all))
	for i, l := range all {
		shown[i] = d.shown(l)
	}
	return shown, nil
}

func filter(r *api.Request, q *api.Query) {
	for _, name := range []string{"id", "instance_id"} {
		if v := r.Query().Get(name); v != "" {
			q.Where(name+" = ?", v)
		}
	}
	if v, given := r.BoolParam("subset_of_users_device"); given {
		q.Where("subset_of_users_device = ?", v)
	}
}

// find is the location of the path, by its own id or by the device's.
func (d *Discovery) find(r *api.Request, tx *store.Tx) (*network.Location, error) {
	if err := enter(r, tx); err != nil {
		return nil, err
	}
	for _, column := range []string{"id", "instance_id"} {
		q := &api.Query{From: "discovery_networklocation"}
		filter(r, q.Where(column+" = ?", r.Param("pk")))
		text, args := q.SQL(network.Columns)
		l, err := store.Get(tx, network.ScanLocation, text+" LIMIT 1", args...)
		if !errors.Is(err, store.ErrNotFound) {
			return l, err
		}
	}
	return nil, r.NotFound()
}

func (d *Discovery) show(r *api.Request) (any, error) {
	l, err := d.find(r, r.Tx)
	if err != nil {
		return nil, err
	}
	return d.shown(l), nil
}

func (d *Discovery) remove(r *api.Request) (any, error) {
	l, err := d.find(r, r.Tx)
	if err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("DELETE FROM discovery_networklocation WHERE id = ?", l.ID)
	return api.NoContent(), err
}

var locationFields = []api.Field{
	{Name: "nickname", Optional: true, Clean: api.CleanString(100, true)},
	{Name: "base_url", Clean: api.CleanString(100, false)},
}

// create adds a device by its address, if a Kolibri answers there.
func (d *Discovery) create(r *api.Request) (any, error) {
	if err := d.host.DB.Read(r.Ctx, func(tx *store.Tx) error { return enter(r, tx) }); err != nil {
		return nil, err
	}
	id, err := morango.NewID(d.host.Rand)
	if err != nil {
		return nil, err
	}
	l := &network.Location{ID: id, Type: network.Static, Status: network.StatusUnknown}
	if err := d.discover(r, l, false); err != nil {
		return nil, err
	}
	if err := d.keep(r, l, l.Insert); err != nil {
		return nil, err
	}
	return api.Created(d.shown(l)), nil
}

func (d *Discovery) update(r *api.Request) (any, error) {
	var l *network.Location
	err := d.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { l, err = d.find(r, tx); return err })
	if err != nil {
		return nil, err
	}
	if err := d.discover(r, l, r.HTTP.Method == http.MethodPatch); err != nil {
		return nil, err
	}
	if err := d.keep(r, l, l.Update); err != nil {
		return nil, err
	}
	return d.shown(l), nil
}

// discover reads the body into the location and connects to its address, if one is given.
func (d *Discovery) discover(r *api.Request, l *network.Location, partial bool) error {
	body, err := r.Object()
	if err != nil {
		return err
	}
	v, err := r.Clean(body, locationFields, partial)
	if err != nil {
		return err
	}
	if v.Has("nickname") {
		l.Nickname = v.String("nickname")
	}
	if !v.Has("base_url") {
		return nil
	}
	address := v.String("base_url")
	c, err := network.Discover(r.Ctx, d.host, address, r.BaseURL()+d.host.Options.URLPathPrefix)
	var e *network.Error
	if errors.As(err, &e) {
		return api.FieldError(e.Code, "non_field_errors", "Error with address "+address+" ("+e.Kind+")")
	}
	if err != nil {
		return err
	}
	l.Learn(c)
	l.Note(nil)
	return nil
}

// check finds out anew whether a device answers.
func (d *Discovery) check(r *api.Request) (any, error) {
	var l *network.Location
	err := d.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { l, err = d.find(r, tx); return err })
	if err != nil {
		return nil, err
	}
	err = l.Check(r.Ctx, d.host, func(ids []string) (ours bool, err error) {
		err = d.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
			ours, err = tx.Exists("SELECT 1 FROM kolibriauth_collection WHERE kind = ? AND id IN ?", auth.KindFacility, store.In(ids))
			return err
		})
		return ours, err
	})
	var failure *network.Error
	if err != nil && !errors.As(err, &failure) {
		return nil, err
	}
	if err := d.keep(r, l, l.Update); err != nil {
		return nil, err
	}
	return d.shown(l), nil
}
