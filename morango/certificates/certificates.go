// Package certificates decides who may synchronize what: it checks chains of certificates, signs those
// that others ask for, and hands out the nonces that prove who holds a key
// (morango/models/certificates.py).
package certificates

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"kolibri/morango"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// Error is why a certificate is refused. Class is the name of the original's exception, which goes
// over the network.
type Error struct{ Class, Message string }

// Error implements error.
func (e *Error) Error() string {
	if e.Message == "" {
		return "morango: " + e.Class
	}
	return "morango: " + e.Class + ": " + e.Message
}

// Signed is a certificate as it travels. morango/api/serializers.py: CertificateSerializer
type Signed struct {
	ID          string  `json:"id"`
	Parent      *string `json:"parent"`
	Profile     string  `json:"profile"`
	Scope       string  `json:"scope_definition"`
	Version     int64   `json:"scope_version"`
	ScopeParams string  `json:"scope_params"`
	PublicKey   string  `json:"public_key"`
	Serialized  string  `json:"serialized"`
	Signature   string  `json:"signature"`
	Salt        string  `json:"salt"`
}

// Travelling is a certificate in the form in which it travels.
func Travelling(c *morango.Certificate) Signed {
	s := Signed{ID: c.ID, Profile: c.Profile, Scope: c.Scope, Version: c.ScopeVersion, ScopeParams: c.ScopeParams,
		PublicKey: c.PublicKey, Serialized: c.Serialized, Signature: c.Signature, Salt: c.Salt}
	if c.ParentID != "" {
		s.Parent = &c.ParentID
	}
	return s
}

// TravellingAll is Travelling for many; it never returns nil.
func TravellingAll(all []*morango.Certificate) []Signed {
	out := make([]Signed, len(all))
	for i, c := range all {
		out[i] = Travelling(c)
	}
	return out
}

// Parse reads a certificate from the text that its signature covers; nothing is checked but its form.
func Parse(serialized, signature string) (*morango.Certificate, error) {
	var d struct {
		ID          string  `json:"id"`
		Parent      *string `json:"parent_id"`
		Profile     string  `json:"profile"`
		Salt        *string `json:"salt"`
		Scope       string  `json:"scope_definition_id"`
		Version     int64   `json:"scope_version"`
		ScopeParams string  `json:"scope_params"`
		PublicKey   string  `json:"public_key_string"`
	}
	if err := json.Unmarshal([]byte(serialized), &d); err != nil {
		return nil, &Error{"CertificateInvalid", err.Error()}
	}
	c := &morango.Certificate{ID: d.ID, Profile: d.Profile, Scope: d.Scope, ScopeVersion: d.Version, ScopeParams: d.ScopeParams,
		Serialized: serialized, Signature: signature}
	if d.Parent != nil {
		c.ParentID = *d.Parent
	}
	if d.Salt != nil {
		c.Salt = *d.Salt
	}
	var err error
	if c.PublicKey, err = morango.PlainKey(d.PublicKey); err != nil {
		return nil, &Error{"CertificateInvalid", err.Error()}
	}
	if !isID(c.ID) || c.ParentID != "" && !isID(c.ParentID) || len(c.Profile) > 20 || len(c.Salt) > 32 {
		return nil, &Error{"CertificateInvalid", "a field is malformed"}
	}
	return c, nil
}

// isID tells whether a text is an id as the columns hold it.
func isID(s string) bool {
	if len(s) != 32 {
		return false
	}
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f') {
			return false
		}
	}
	return true
}

// Scope is what a certificate allows.
func Scope(c *morango.Certificate) (transfer.Scope, error) {
	params, err := Params(c)
	if err != nil {
		return transfer.Scope{}, err
	}
	scope, ok := transfer.ScopeOf(c.Scope, params)
	if !ok {
		return transfer.Scope{}, &Error{"CertificateScopeNotSubset", "the scope is unknown or lacks a parameter"}
	}
	return scope, nil
}

// Params are the parameters of a certificate's scope: "dataset_id", "user_id". Values that are no text
// are left out.
func Params(c *morango.Certificate) (map[string]string, error) {
	var values map[string]any
	if err := json.Unmarshal([]byte(c.ScopeParams), &values); err != nil {
		return nil, &Error{"CertificateInvalid", "the scope's parameters are no JSON object"}
	}
	params := map[string]string{}
	for name, value := range values {
		if text, ok := value.(string); ok {
			params[name] = text
		}
	}
	return params, nil
}

// Check verifies a certificate: its id, its signature by parent (nil for a root, which signs itself),
// and that it allows no more than the parent. morango/models/certificates.py: check_certificate
func Check(c, parent *morango.Certificate) error {
	if id := c.ComputeID(); id != c.ID {
		return &Error{"CertificateIDInvalid", fmt.Sprintf("Certificate ID is %s but should be %s", c.ID, id)}
	}
	signer := parent
	if parent == nil {
		signer = c
	}
	if err := signer.Verify(c.Serialized, c.Signature); err != nil {
		return &Error{Class: "CertificateSignatureInvalid"}
	}
	scope, err := Scope(c)
	if err != nil {
		return err
	}
	if parent == nil {
		for _, entry := range append(scope.Read, scope.Write...) {
			if !(transfer.Filter{c.ID}).Contains(entry) {
				return &Error{"CertificateRootScopeInvalid", fmt.Sprintf("Scope entry %s does not start with primary partition %s", entry, c.ID)}
			}
		}
		return nil
	}
	above, err := Scope(parent)
	if err != nil {
		return err
	}
	if !scope.Within(above) {
		return &Error{Class: "CertificateScopeNotSubset"}
	}
	if c.Profile != parent.Profile {
		return &Error{"CertificateProfileInvalid", fmt.Sprintf("Certificate profile is %s but parent's is %s", c.Profile, parent.Profile)}
	}
	return nil
}

// maxChain bounds the certificates that one chain can make this device check and keep: the original's
// have two.
const maxChain = 32

// SaveChain checks a chain of certificates, root first, and stores those that are not known. It
// returns the last, whose id must be expected. Certificates above one that is known were checked when
// that was stored.
func SaveChain(tx *store.Tx, chain []Signed, expected string) (*morango.Certificate, error) {
	if len(chain) == 0 || len(chain) > maxChain {
		return nil, &Error{"CertificateInvalid", "the chain is empty or too long"}
	}
	last := chain[len(chain)-1]
	c, err := Parse(last.Serialized, last.Signature)
	if err != nil {
		return nil, err
	}
	if last.ID != c.ID || c.ID != expected {
		return nil, &Error{"CertificateIDInvalid", "the chain is about another certificate"}
	}
	if known, err := morango.LoadCertificate(tx, c.ID); !errors.Is(err, store.ErrNotFound) {
		return known, err
	}
	var parent *morango.Certificate
	switch {
	case len(chain) > 1:
		if parent, err = SaveChain(tx, chain[:len(chain)-1], c.ParentID); err != nil {
			return nil, err
		}
	case c.ParentID != "":
		return nil, &Error{"CertificateInvalid", "the first certificate of a chain must be a root"}
	}
	if err := Check(c, parent); err != nil {
		return nil, err
	}
	return c, c.Save(tx)
}

// Request is what somebody asks to be signed.
type Request struct {
	Profile, Scope string
	Version        int64
	ScopeParams    string
	PublicKey      string // as morango.PlainKey gives it
}

// Issue signs a certificate below parent, whose private key must be here, and stores it.
func Issue(tx *store.Tx, random io.Reader, parent *morango.Certificate, q Request) (*morango.Certificate, error) {
	salt, err := morango.NewID(random)
	if err != nil {
		return nil, err
	}
	c := &morango.Certificate{ParentID: parent.ID, Profile: q.Profile, Salt: salt, Scope: q.Scope, ScopeVersion: q.Version,
		ScopeParams: q.ScopeParams, PublicKey: q.PublicKey}
	c.ID = c.ComputeID()
	if err := parent.SignCertificate(c); err != nil {
		return nil, err
	}
	if err := Check(c, parent); err != nil {
		return nil, err
	}
	return c, c.Save(tx)
}

// Owned are the certificates to a dataset of one scope whose private keys are here, the highest first.
func Owned(tx *store.Tx, dataset, scope string) ([]*morango.Certificate, error) {
	all, err := morango.Descendants(tx, dataset)
	if err != nil {
		return nil, err
	}
	var owned []*morango.Certificate
	for _, c := range all {
		if c.PrivateKey != "" && c.Scope == scope {
			owned = append(owned, c)
		}
	}
	return owned, nil
}
