package peer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/store"
)

// Certificates are those to a dataset, of one scope, whose keys the other device has. They are not
// checked before Know.
func (c *Connection) Certificates(ctx context.Context, dataset, scope string) ([]*morango.Certificate, error) {
	var all []certificates.Signed
	err := c.call(ctx, request{method: http.MethodGet, path: routes + "certificates/", query: url.Values{"primary_partition": {dataset}}, into: &all})
	if err != nil {
		return nil, err
	}
	var found []*morango.Certificate
	for _, signed := range all {
		one, err := certificates.Parse(signed.Serialized, signed.Signature)
		if err != nil {
			return nil, err
		}
		if one.Scope == scope {
			found = append(found, one)
		}
	}
	return found, nil
}

// Know makes sure that this device has a certificate of the other one with those above it, checked up
// to the root, which must be that of the dataset.
func (c *Connection) Know(ctx context.Context, db *store.DB, dataset string, theirs *morango.Certificate) (*morango.Certificate, error) {
	known, err := load(ctx, db, theirs.ID)
	if errors.Is(err, store.ErrNotFound) {
		var chain []certificates.Signed
		err = c.call(ctx, request{method: http.MethodGet, path: routes + "certificates/", query: url.Values{"ancestors_of": {theirs.ID}}, into: &chain})
		if err != nil {
			return nil, err
		}
		err = db.Write(ctx, func(tx *store.Tx) (err error) {
			known, err = certificates.SaveChain(tx, chain, theirs.ID)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	params, err := certificates.Params(known)
	if err != nil {
		return nil, err
	}
	if params["dataset_id"] != dataset {
		return nil, errors.New("the other device's certificate is for another facility")
	}
	return known, nil
}

func load(ctx context.Context, db *store.DB, id string) (c *morango.Certificate, err error) {
	err = db.Read(ctx, func(tx *store.Tx) (err error) { c, err = morango.LoadCertificate(tx, id); return err })
	return c, err
}

// Request asks the other device to sign a certificate below its own, and keeps it. The key is drawn
// by the caller, outside of transactions.
func (c *Connection) Request(ctx context.Context, db *store.DB, key morango.Key, parent *morango.Certificate, scope, params string, login Login) (*morango.Certificate, error) {
	var signed certificates.Signed
	err := c.call(ctx, request{method: http.MethodPost, path: routes + "certificates/", login: &login, into: &signed, body: map[string]any{
		"parent": parent.ID, "profile": parent.Profile, "scope_definition": scope, "scope_version": parent.ScopeVersion,
		"scope_params": params, "public_key": key.Public,
	}})
	if err != nil {
		return nil, err
	}
	made, err := certificates.Parse(signed.Serialized, signed.Signature)
	if err != nil {
		return nil, err
	}
	if made.PublicKey != key.Public || made.ParentID != parent.ID || made.Scope != scope {
		return nil, errors.New("the other device signed another certificate than it was asked for")
	}
	made.PrivateKey = key.Private
	err = db.Write(ctx, func(tx *store.Tx) error {
		above, err := morango.LoadCertificate(tx, parent.ID)
		if err != nil {
			return err
		}
		if err := certificates.Check(made, above); err != nil {
			return fmt.Errorf("the other device's certificate: %w", err)
		}
		return made.Save(tx)
	})
	return made, err
}

// ErrNoPushing tells that the other device takes no certificates that it did not sign.
var ErrNoPushing = errors.New("server does not allow certificate pushing")

// PushCertificate makes a certificate for the other device, with that one's key and below one of this
// device's, and hands it over with those above it. Only the data portal takes such.
// morango/sync/syncsession.py: push_signed_client_certificate_chain
func (c *Connection) PushCertificate(ctx context.Context, db *store.DB, parent *morango.Certificate) (*morango.Certificate, error) {
	if !c.Pushable {
		return nil, ErrNoPushing
	}
	var keys []struct {
		PublicKey string `json:"public_key"`
	}
	if err := c.call(ctx, request{method: http.MethodGet, path: routes + "publickey/", into: &keys}); err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("the other device has no key for certificates")
	}
	key, err := morango.PlainKey(keys[0].PublicKey)
	if err != nil {
		return nil, err
	}
	var nonce struct{ ID string }
	if err := c.call(ctx, request{method: http.MethodPost, path: routes + "nonces/", into: &nonce}); err != nil {
		return nil, err
	}
	made := &morango.Certificate{ParentID: parent.ID, Profile: parent.Profile, Salt: nonce.ID, Scope: parent.Scope,
		ScopeVersion: parent.ScopeVersion, ScopeParams: parent.ScopeParams, PublicKey: key}
	made.ID = made.ComputeID()
	if err := parent.SignCertificate(made); err != nil {
		return nil, err
	}
	var chain []*morango.Certificate
	err = db.Read(ctx, func(tx *store.Tx) (err error) { chain, err = morango.Chain(tx, parent.ID); return err })
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(certificates.TravellingAll(append(chain, made)))
	if err != nil {
		return nil, err
	}
	// the chain is JSON text within JSON
	if err := c.call(ctx, request{method: http.MethodPost, path: routes + "certificatechain/", body: string(text)}); err != nil {
		return nil, err
	}
	return made, db.Write(ctx, made.Save)
}
