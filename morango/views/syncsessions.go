package views

import (
	"encoding/json"
	"errors"
	"net/http"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/session"
	"kolibri/store"
)

// openSync begins a synchronization: both sides prove who they are.
// morango/api/viewsets.py: SyncSessionViewSet.create
func (v *Views) openSync(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	chain, err := readChain(body["certificate_chain"])
	if err == nil {
		expected := text(body, "client_certificate_id")
		if expected == "" && len(chain) > 0 { // said to be missing below
			expected = chain[len(chain)-1].ID
		}
		_, err = certificates.SaveChain(r.Tx, chain, expected)
	}
	var refused *certificates.Error
	if errors.As(err, &refused) {
		e := refuse(http.StatusForbidden, "Saving certificate chain has failed")
		e.Cause = err
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	client, err := morango.LoadCertificate(r.Tx, id(body, "client_certificate_id"))
	var server *morango.Certificate
	if err == nil {
		server, err = owned(r.Tx, id(body, "server_certificate_id"))
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, refuse(http.StatusBadRequest, "Requested certificate does not exist!")
	case err != nil:
		return nil, err
	case server.Profile != client.Profile:
		return nil, refuse(http.StatusBadRequest, "Certificates must both be associated with the same profile")
	}
	message := text(body, "nonce") + ":" + text(body, "id")
	if client.Verify(message, text(body, "signature")) != nil {
		return nil, refuse(http.StatusForbidden, "Client certificate failed to verify signature")
	}
	if err := certificates.UseNonce(r.Tx, text(body, "nonce")); errors.Is(err, certificates.ErrNonce) {
		return nil, refuse(http.StatusForbidden, "Nonce is not valid")
	} else if err != nil {
		return nil, err
	}
	s, err := v.newSync(r, body, client, server)
	if err != nil {
		return nil, err
	}
	signature, err := server.Sign(message)
	if err != nil {
		return nil, err
	}
	return api.Created(proof{signature, s.ServerInstance}), nil
}

// proof is how the server shows that it holds its certificate's key.
type proof struct {
	Signature string `json:"signature"`
	Instance  string `json:"server_instance"`
}

// readChain reads a chain, which is a list or JSON text of one.
func readChain(given any) ([]certificates.Signed, error) {
	malformed := &certificates.Error{Class: "CertificateInvalid", Message: "the chain is malformed"}
	source, ok := given.(string)
	if !ok {
		list, err := api.JSON(given)
		if err != nil {
			return nil, malformed
		}
		source = string(list)
	}
	var chain []certificates.Signed
	if json.Unmarshal([]byte(source), &chain) != nil {
		return nil, malformed
	}
	return chain, nil
}

// newSync stores a sync session in which this device is the server.
func (v *Views) newSync(r *api.Request, body map[string]any, client, server *morango.Certificate) (*session.Sync, error) {
	problem := func(field, text string) error {
		return &api.Error{Status: http.StatusBadRequest, Body: map[string][]string{field: {text}}}
	}
	given, ok := api.ParseUUID(text(body, "id"))
	if !ok || given != text(body, "id") {
		return nil, problem("id", "Must be 32 hexadecimal digits.")
	}
	if _, err := session.LoadSync(r.Tx, given); !errors.Is(err, store.ErrNotFound) {
		if err == nil {
			err = problem("id", "Sync session with this ID already exists.")
		}
		return nil, err
	}
	instance, err := session.DescribeInstance(r.Tx, api.Version)
	if err != nil {
		return nil, err
	}
	s := &session.Sync{ID: given, Start: r.Now(), LastActivity: r.Now(), Active: true, IsServer: true, Profile: server.Profile,
		ClientCertificateID: client.ID, ServerCertificateID: server.ID, ConnectionPath: text(body, "connection_path"),
		ClientIP: address(r), ServerIP: text(body, "server_ip"), ClientInstance: text(body, "instance"),
		ServerInstanceID: instance.ID, ServerInstance: instance.Text}
	if s.ClientInstance != "" {
		var described struct{ ID string }
		if json.Unmarshal([]byte(s.ClientInstance), &described) != nil {
			return nil, problem("instance", "Must be the JSON text of an object.")
		}
		if s.ClientInstanceID, ok = api.ParseUUID(described.ID); !ok && described.ID != "" {
			return nil, problem("instance", "The id must be 32 hexadecimal digits.")
		}
	}
	if len(s.ConnectionPath) > 1000 || len(s.ServerIP) > 100 {
		return nil, problem("connection_path", "Ensure this field has no more than 1000 characters.")
	}
	return s, s.Insert(r.Tx)
}

// syncSession is a sync session as it is shown. morango/api/serializers.py: SyncSessionSerializer
type syncSession struct {
	ID                string   `json:"id"`
	Start             api.Time `json:"start_timestamp"`
	LastActivity      api.Time `json:"last_activity_timestamp"`
	Active            bool     `json:"active"`
	ClientCertificate string   `json:"client_certificate"`
	ServerCertificate string   `json:"server_certificate"`
	Profile           string   `json:"profile"`
	ConnectionKind    string   `json:"connection_kind"`
	ConnectionPath    string   `json:"connection_path"`
	ClientIP          string   `json:"client_ip"`
	ServerIP          string   `json:"server_ip"`
	ClientInstance    string   `json:"client_instance"`
	ServerInstance    string   `json:"server_instance"`
}

// activeSync is the sync session of the path, unless it is closed.
func (v *Views) activeSync(r *api.Request) (*session.Sync, error) {
	s, err := session.LoadSync(r.Tx, known(r.Param("pk")))
	if errors.Is(err, store.ErrNotFound) || err == nil && !s.Active {
		return nil, r.NotFound()
	}
	return s, err
}

func (v *Views) showSync(r *api.Request) (any, error) {
	s, err := v.activeSync(r)
	if err != nil {
		return nil, err
	}
	return syncSession{s.ID, api.Time(s.Start), api.Time(s.LastActivity), s.Active, s.ClientCertificateID, s.ServerCertificateID, s.Profile,
		"network", s.ConnectionPath, s.ClientIP, s.ServerIP, s.ClientInstance, s.ServerInstance}, nil
}

func (v *Views) closeSync(r *api.Request) (any, error) {
	s, err := v.activeSync(r)
	if err != nil {
		return nil, err
	}
	return api.NoContent(), session.CloseSync(r.Tx, s.ID)
}
