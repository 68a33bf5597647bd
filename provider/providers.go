//go:build !js

package provider

import (
	"encoding/json"
	"net/http"
	"strings"

	"kolibri/provider/registry"
	"kolibri/provider/upstream"
)

// details are what a product tells of a provider. Its id may be text or a number.
type details struct {
	ID           json.RawMessage `json:"id"`
	Type         string          `json:"type"`
	BaseURL      string          `json:"base_url"`
	Username     string          `json:"username"`
	Password     string          `json:"password"`
	Facility     string          `json:"facility"`
	ClientID     string          `json:"client_id"`
	ClientSecret string          `json:"client_secret"`
	AccessToken  string          `json:"access_token"`
	AccountID    string          `json:"account_id"`
}

// idOf is the text of an id, or nothing for what is none.
func idOf(raw json.RawMessage) (id string) {
	if json.Unmarshal(raw, &id) == nil {
		return id
	}
	if text := string(raw); strings.Trim(text, "0123456789") == "" {
		return text
	}
	return ""
}

// shown is a provider without its secrets.
type shown struct {
	registry.Provider
	State   string `json:"state"`   // of its session, for people
	Breaker string `json:"breaker"` // closed, open or half-open
}

func (s *Service) show(p registry.Provider) shown {
	v := shown{Provider: p, State: "idle", Breaker: "closed"}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.live[p.ID]; l != nil {
		v.State, v.Breaker = l.state(), l.client.State()
	}
	return v
}

func (s *Service) addProvider(w http.ResponseWriter, r *http.Request) error {
	var d details
	if err := read(w, r, &d); err != nil {
		return err
	}
	p := registry.Provider{ID: idOf(d.ID), Type: d.Type, BaseURL: d.BaseURL, Username: d.Username, Facility: d.Facility,
		ClientID: d.ClientID, AccountID: d.AccountID,
		Secrets: registry.Secrets{Password: d.Password, ClientSecret: d.ClientSecret, AccessToken: d.AccessToken}}
	switch {
	case !registry.IsID(p.ID):
		return invalid("id is a whole number or a text of letters, digits, dots, dashes and underscores")
	case p.Type == registry.Kolibri && p.Username == "":
		return invalid("a Kolibri needs a username")
	case p.Type == registry.Canvas && p.Secrets.AccessToken == "" && (p.ClientID == "" || p.Secrets.ClientSecret == ""):
		return invalid("a Canvas needs client_id and client_secret, or an access_token")
	case p.Type != registry.Kolibri && p.Type != registry.Canvas:
		return invalid("type is kolibri or canvas")
	}
	if _, err := upstream.ParseBase(p.BaseURL, s.config.Policy); err != nil {
		return &Problem{Status: http.StatusBadRequest, Code: "address_refused", Message: err.Error()}
	}
	if err := s.Register(r.Context(), p); err != nil {
		return err
	}
	writeJSON(w, http.StatusCreated, s.show(p))
	return nil
}

func (s *Service) listProviders(w http.ResponseWriter, r *http.Request) error {
	all, err := s.config.Registry.Providers(r.Context())
	if err != nil {
		return err
	}
	items := make([]shown, len(all))
	for i, p := range all {
		items[i] = s.show(p)
	}
	writeJSON(w, http.StatusOK, map[string]any{"items": items, "next": nil})
	return nil
}

func (s *Service) showProvider(w http.ResponseWriter, r *http.Request) error {
	p, err := s.config.Registry.Provider(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, s.show(p))
	return nil
}

func (s *Service) removeProvider(w http.ResponseWriter, r *http.Request) error {
	if err := s.Unregister(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
