package morango

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strconv"
	"strings"

	"kolibri/store"
)

// The scopes that a certificate can have (kolibri/core/auth/constants/morango_sync.py).
const (
	FullFacility = "full-facility"
	SingleUser   = "single-user"
)

// Certificate allows the synchronization of a facility's data, or of a part.
type Certificate struct {
	ID, ParentID, Salt string
	Scope              string
	ScopeVersion       int64
	ScopeParams        string // JSON text
	PublicKey          string // base64 of the PKCS#1 DER
	Serialized         string // the text that is signed, kept as it is
	Signature          string // base64
	PrivateKey         string // PEM, empty for other devices' certificates
}

// keyBits is the size of every certificate's key.
const keyBits = 2048

// NewRootCertificate makes the self-signed certificate of a new facility. Its id becomes that of the
// facility's dataset. morango/models/certificates.py: generate_root_certificate
func NewRootCertificate(random io.Reader) (*Certificate, error) {
	key, err := newKey(random)
	if err != nil {
		return nil, err
	}
	return rootCertificate(key)
}

func rootCertificate(key *rsa.PrivateKey) (*Certificate, error) {
	der := x509.MarshalPKCS1PrivateKey(key)
	c := &Certificate{
		Scope: FullFacility, ScopeVersion: 1,
		PublicKey:  base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey)),
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})),
	}
	c.ID = certificateID(c.PublicKey, c.Salt)
	c.ScopeParams = `{"dataset_id": "` + c.ID + `"}`
	c.Serialized = c.serialize()
	sum := sha256.Sum256([]byte(c.Serialized))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return nil, err
	}
	c.Signature = base64.StdEncoding.EncodeToString(signature)
	return c, nil
}

// certificateID is the id that follows from key, profile and salt.
func certificateID(publicKey, salt string) string {
	input := publicKey + ":" + Profile
	if salt != "" {
		input += ":" + salt
	}
	return UUID(input)
}

// serialize writes what the signature covers, as Python's json.dumps does: this order, a space after
// each colon and comma. No value needs escaping but the quotes in the scope's parameters.
func (c *Certificate) serialize() string {
	quote := func(s string) string {
		return `"` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `"`, `\"`) + `"`
	}
	parent := "null"
	if c.ParentID != "" {
		parent = quote(c.ParentID)
	}
	return `{"id": ` + quote(c.ID) + `, "parent_id": ` + parent + `, "profile": ` + quote(Profile) +
		`, "salt": ` + quote(c.Salt) + `, "scope_definition_id": ` + quote(c.Scope) +
		`, "scope_version": ` + strconv.FormatInt(c.ScopeVersion, 10) +
		`, "scope_params": ` + quote(c.ScopeParams) + `, "public_key_string": ` + quote(c.PublicKey) + `}`
}

// Verify tells whether a text was signed by the certificate's key.
func (c *Certificate) Verify(text, signature string) error {
	der, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(c.PublicKey, spkiPrefix))
	if err != nil {
		return errBadKey
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return errBadKey
	}
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return rsa.ErrVerification
	}
	sum := sha256.Sum256([]byte(text))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
}

// spkiPrefix begins public keys that are written as SubjectPublicKeyInfo, which some devices do.
const spkiPrefix = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"

var errBadKey = errors.New("morango: a certificate's public key is malformed")

// Save stores a root certificate as a tree of its own.
func (c *Certificate) Save(tx *store.Tx) error {
	_, err := tx.Exec(`INSERT INTO morango_certificate (id, profile, scope_version, scope_params, public_key, serialized, signature,
		lft, rght, tree_id, level, scope_definition_id, private_key, salt, parent_id)
		SELECT ?, ?, ?, ?, ?, ?, ?, 1, 2, coalesce(max(tree_id), 0) + 1, 0, ?, ?, ?, NULL FROM morango_certificate`,
		c.ID, Profile, c.ScopeVersion, c.ScopeParams, c.PublicKey, c.Serialized, c.Signature, c.Scope, store.Null(c.PrivateKey), c.Salt)
	return err
}
