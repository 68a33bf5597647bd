// Package views is the server's side of synchronization: the routes below /api/morango/v1/, which other
// devices call (morango/api/viewsets.py).
package views

import (
	"net"
	"net/http"
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/morango/session"
	"kolibri/store"
)

// version is the morango whose protocol this is.
const version = "0.8.15"

// Views answers for the app.
type Views struct {
	host       *api.Host
	controller *session.Controller
}

// New makes the routes' handlers on a controller of the host's transfers.
func New(host *api.Host, controller *session.Controller) *Views { return &Views{host, controller} }

// Routes are those of morango/api/urls.py. Stages take as many transactions as they need, so that
// what starts them has none of its own.
func (v *Views) Routes() []api.Route {
	return []api.Route{
		{Name: "morangoinfo-detail", Method: http.MethodGet, Handle: v.info},
		{Name: "publickey-list", Method: http.MethodGet, Handle: noPushing},
		{Name: "publickey-detail", Method: http.MethodGet, Handle: noPushing},
		{Name: "certificatechain-list", Method: http.MethodPost, Handle: noPushing},
		{Name: "certificates-list", Method: http.MethodGet, Handle: v.certificates},
		{Name: "certificates-list", Method: http.MethodPost, Handle: v.sign, NoTx: true},
		{Name: "certificates-detail", Method: http.MethodGet, Handle: v.certificate},
		{Name: "nonces-list", Method: http.MethodPost, Handle: v.nonce},
		{Name: "syncsessions-list", Method: http.MethodPost, Handle: v.openSync},
		{Name: "syncsessions-detail", Method: http.MethodGet, Handle: v.showSync},
		{Name: "syncsessions-detail", Method: http.MethodDelete, Handle: v.closeSync},
		{Name: "transfersessions-list", Method: http.MethodPost, Handle: v.openTransfer, NoTx: true},
		{Name: "transfersessions-detail", Method: http.MethodGet, Handle: v.showTransfer},
		{Name: "transfersessions-detail", Method: http.MethodPut, Handle: v.replaceTransfer},
		{Name: "transfersessions-detail", Method: http.MethodPatch, Handle: v.proceed, NoTx: true},
		{Name: "transfersessions-detail", Method: http.MethodDelete, Handle: v.closeTransfer, NoTx: true},
		{Name: "buffers-list", Method: http.MethodGet, Handle: v.buffers},
		{Name: "buffers-list", Method: http.MethodPost, Handle: v.receive, NoTx: true},
	}
}

type info struct {
	Kolibri      string   `json:"kolibri"`
	InstanceHash string   `json:"instance_hash"`
	InstanceID   string   `json:"instance_id"`
	OS           string   `json:"system_os"`
	Version      string   `json:"version"`
	Capabilities []string `json:"capabilities"`
}

// info says what this device is and can do.
func (v *Views) info(r *api.Request) (any, error) {
	i, err := morango.CurrentInstance(r.Tx)
	return info{api.Version, morango.Proquint(i.ID), i.ID, v.host.Device.OS(), version, session.Capabilities}, err
}

// noPushing: only the data portal takes certificates that others made
// (morango/api/permissions.py: CertificatePushPermissions).
func noPushing(r *api.Request) (any, error) { return nil, r.Forbidden() }

// common are the capabilities that the client named and this device has.
func common(r *api.Request) []string {
	return slices.DeleteFunc(strings.Fields(r.HTTP.Header.Get("X-Morango-Capabilities")), func(name string) bool {
		return !slices.Contains(session.Capabilities, name)
	})
}

// refuse is an answer of the original's views themselves: one JSON text.
func refuse(status int, text string) *api.Error { return &api.Error{Status: status, Body: text} }

// address is whose connection the request came by.
func address(r *api.Request) string {
	host, _, err := net.SplitHostPort(r.HTTP.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// text reads a field of a body that is text; anything else is "".
func text(body map[string]any, name string) string {
	s, _ := body[name].(string)
	return s
}

// id reads a field that names a row. Anything else than an id gives one that no row has, so that
// PostgreSQL is not asked for what it would refuse to read.
func id(body map[string]any, name string) string { return known(text(body, name)) }

func known(id string) string {
	if parsed, ok := api.ParseUUID(id); ok {
		return parsed
	}
	return strings.Repeat("0", 32)
}

// owned reads a certificate whose private key is here, or returns store.ErrNotFound.
func owned(tx *store.Tx, id string) (*morango.Certificate, error) {
	c, err := morango.LoadCertificate(tx, id)
	if err == nil && c.PrivateKey == "" {
		err = store.ErrNotFound
	}
	return c, err
}
