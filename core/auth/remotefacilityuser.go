package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kolibri/core/api"
	"kolibri/core/device/settings"
	"kolibri/store"
)

// remoteUserView asks other devices, known as network locations, for accounts that can be imported.
// kolibri/core/auth/api.py: RemoteFacilityUserViewset, RemoteFacilityUserAuthenticatedViewset
type remoteUserView struct{ *accounts }

func (v remoteUserView) routes() []api.Route {
	return []api.Route{
		{Name: "kolibri:core:remotefacilityuser", Method: http.MethodGet, Handle: v.search, NoTx: true},
		{Name: "kolibri:core:remotefacilityauthenticateduserinfo", Method: http.MethodPost, Handle: v.identify, NoTx: true},
	}
}

// remoteTimeout is how long another device may take to answer.
const remoteTimeout = 15 * time.Second

var (
	errUnknownPeer = errors.New("the address is that of no known device")
	errPeerAnswer  = errors.New("the device gave no usable answer")
)

// foundUser is an account of another device by its name.
type foundUser struct {
	ID       *string `json:"id"`
	Username string  `json:"username"`
}

// search looks a name up in a facility of another device.
func (v remoteUserView) search(r *api.Request) (any, error) {
	if err := v.mayAsk(r); err != nil {
		return nil, err
	}
	query := r.Query()
	if !query.Has("username") || !query.Has("facility") {
		return nil, bothRequired()
	}
	base, err := v.peer(r, query.Get("baseurl"))
	if err != nil {
		return nil, err
	}
	var found []foundUser
	err = v.ask(r.Ctx, base, "api/public/facilitysearchuser/", url.Values{"facility": {query.Get("facility")}, "search": {query.Get("username")}}, nil, &found)
	if err != nil && !errors.Is(err, errPeerAnswer) {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: []any{"Remote user lookup failed"}, Cause: err}
	}
	users := []foundUser{}
	for _, u := range found {
		if u.Username == "" {
			return []foundUser{}, nil
		}
		if u.ID != nil {
			id, ok := api.ParseUUID(*u.ID)
			if !ok {
				return []foundUser{}, nil
			}
			u.ID = &id
		}
		users = append(users, u)
	}
	return users, nil
}

// remoteUser is an account of another device as its owner, or an admin there, may see it.
type remoteUser struct {
	ID          string   `json:"id"`
	Username    string   `json:"username"`
	FullName    string   `json:"full_name"`
	Facility    string   `json:"facility"`
	IsSuperuser bool     `json:"is_superuser"`
	IDNumber    string   `json:"id_number"`
	Gender      string   `json:"gender"`
	BirthYear   string   `json:"birth_year"`
	Roles       []string `json:"roles"`
}

// identify proves an account on another device and returns it; an admin gets all of the facility.
func (v remoteUserView) identify(r *api.Request) (any, error) {
	if err := v.mayAsk(r); err != nil {
		return nil, err
	}
	object, err := r.Object()
	if err != nil {
		return nil, err
	}
	username, named := object["username"].(string)
	facility, placed := object["facility_id"].(string)
	if !named || !placed {
		return nil, bothRequired()
	}
	address, _ := object["baseurl"].(string)
	password, _ := object["password"].(string)
	base, err := v.peer(r, address)
	if err != nil {
		return nil, err
	}
	var users []remoteUser
	login := url.UserPassword("username="+username+"&facility="+facility, password)
	err = v.ask(r.Ctx, base, "api/public/facilityuser/", url.Values{"facility_id": {facility}}, login, &users)
	switch {
	case errors.Is(err, errPeerAnswer):
		return nil, r.PermissionDenied()
	case err != nil:
		return nil, api.Detail(http.StatusGone, "Unable to connect")
	case len(users) == 0:
		return nil, r.PermissionDenied()
	}
	me := users[0]
	if i := slices.IndexFunc(users, func(u remoteUser) bool { return u.Username == username }); i >= 0 {
		me = users[i]
	}
	if slices.Contains(me.Roles, Admin) || slices.Contains(me.Roles, "superuser") {
		return users, nil
	}
	return []remoteUser{me}, nil
}

func bothRequired() error {
	return &api.Error{Status: http.StatusBadRequest, Body: []any{"Both username and facility are required"}}
}

// mayAsk refuses whoever is not signed in, unless he sets the device up.
func (v remoteUserView) mayAsk(r *api.Request) error {
	if r.Session.UserID != "" {
		return nil
	}
	return inTx(r, v.h.DB.Read, func() error {
		s, err := settings.Get(r.Tx)
		if err == nil && s.IsProvisioned {
			err = r.NotAuthenticated()
		}
		return err
	})
}

// peer returns the address of a known device: others are not asked, so that nobody makes this server
// fetch what he likes.
// kolibri/core/discovery/utils/network/client.py: NetworkClient.build_for_address
func (v remoteUserView) peer(r *api.Request, address string) (*url.URL, error) {
	var base string
	err := inTx(r, v.h.DB.Read, func() error {
		trimmed := strings.TrimRight(strings.TrimSpace(address), "/")
		forms := []string{trimmed, trimmed + "/"}
		if !strings.Contains(trimmed, "://") {
			forms = append(forms, "http://"+trimmed, "http://"+trimmed+"/", "https://"+trimmed, "https://"+trimmed+"/")
		}
		err := r.Tx.QueryRow("SELECT base_url FROM discovery_networklocation WHERE base_url IN ? ORDER BY id LIMIT 1", store.In(forms)).Scan(&base)
		if errors.Is(err, store.ErrNotFound) {
			return errUnknownPeer
		}
		return err
	})
	u, parseErr := url.Parse(strings.TrimRight(base, "/") + "/")
	if errors.Is(err, errUnknownPeer) || err == nil && parseErr != nil {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: []any{"Unknown peer: " + address}}
	}
	return u, err
}

// ask gets JSON from another device. It returns errPeerAnswer when the device answers, but not so.
func (v remoteUserView) ask(ctx context.Context, base *url.URL, path string, query url.Values, login *url.Userinfo, into any) error {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	target := base.JoinPath(path)
	target.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Kolibri/"+api.Version)
	if login != nil {
		password, _ := login.Password()
		req.SetBasicAuth(login.Username(), password)
	}
	res, err := v.h.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errPeerAnswer
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, api.MaxBody)).Decode(into); err != nil {
		return errPeerAnswer
	}
	return nil
}
