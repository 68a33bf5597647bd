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
	"slices"
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
	Profile            string
	Scope              string
	ScopeVersion       int64
	ScopeParams        string // JSON text
	PublicKey          string // base64 of the PKCS#1 DER, see PlainKey
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

// Key is a pair of keys: what a device asks another to sign, and what it keeps to itself.
type Key struct{ Public, Private string }

// NewKey draws a key for a certificate that another device is asked to sign. It takes up to a second:
// call it outside transactions.
func NewKey(random io.Reader) (Key, error) {
	key, err := newKey(random)
	if err != nil {
		return Key{}, err
	}
	return keyOfRSA(key), nil
}

func keyOfRSA(key *rsa.PrivateKey) Key {
	der := x509.MarshalPKCS1PrivateKey(key)
	return Key{
		Public:  base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey)),
		Private: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: der})),
	}
}

func rootCertificate(key *rsa.PrivateKey) (*Certificate, error) {
	pair := keyOfRSA(key)
	c := &Certificate{Profile: Profile, Scope: FullFacility, ScopeVersion: 1, PublicKey: pair.Public, PrivateKey: pair.Private}
	c.ID = c.ComputeID()
	c.ScopeParams = `{"dataset_id": "` + c.ID + `"}`
	return c, c.SignCertificate(c)
}

// ComputeID is the id that follows from key, profile and salt.
func (c *Certificate) ComputeID() string {
	input := c.PublicKey + ":" + c.Profile
	if c.Salt != "" {
		input += ":" + c.Salt
	}
	return UUID(input)
}

// serialize writes what the signature covers, as Python's json.dumps does: this order, a space after
// each colon and comma.
func (c *Certificate) serialize() string {
	parent := "null"
	if c.ParentID != "" {
		parent = pythonQuote(c.ParentID)
	}
	return `{"id": ` + pythonQuote(c.ID) + `, "parent_id": ` + parent + `, "profile": ` + pythonQuote(c.Profile) +
		`, "salt": ` + pythonQuote(c.Salt) + `, "scope_definition_id": ` + pythonQuote(c.Scope) +
		`, "scope_version": ` + strconv.FormatInt(c.ScopeVersion, 10) +
		`, "scope_params": ` + pythonQuote(c.ScopeParams) + `, "public_key_string": ` + pythonQuote(c.PublicKey) + `}`
}

// SignCertificate signs another certificate, or a root itself, with this one's private key.
func (c *Certificate) SignCertificate(other *Certificate) (err error) {
	other.Serialized = other.serialize()
	other.Signature, err = c.Sign(other.Serialized)
	return err
}

// Sign signs a text with the certificate's private key.
func (c *Certificate) Sign(text string) (string, error) {
	block, _ := pem.Decode([]byte(c.PrivateKey))
	if block == nil {
		return "", errors.New("morango: the private key of certificate " + c.ID + " is not on this device")
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// Verify tells whether a text was signed by the certificate's key.
func (c *Certificate) Verify(text, signature string) error {
	key, err := publicKey(c.PublicKey)
	if err != nil {
		return err
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

// PlainKey brings a public key into the form in which it is kept and hashed: base64 of the PKCS#1
// DER in one line. It returns an error for what is no RSA key.
func PlainKey(text string) (string, error) {
	key, err := publicKey(text)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(key)), nil
}

func publicKey(text string) (*rsa.PublicKey, error) {
	if lines := strings.Split(strings.TrimSpace(text), "\n"); strings.HasPrefix(lines[0], "---") {
		text = strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "---") }), "")
	}
	der, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, spkiPrefix)) // which skips line ends
	if err != nil {
		return nil, errBadKey
	}
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return nil, errBadKey
	}
	return key, nil
}

const certificateColumns = `id, parent_id, profile, salt, scope_definition_id, scope_version, scope_params, public_key,
	serialized, signature, coalesce(private_key, '')`

func scanCertificate(row store.Scanner) (*Certificate, error) {
	c := &Certificate{}
	var parent *string
	err := row.Scan(&c.ID, &parent, &c.Profile, &c.Salt, &c.Scope, &c.ScopeVersion, &c.ScopeParams, &c.PublicKey,
		&c.Serialized, &c.Signature, &c.PrivateKey)
	if parent != nil {
		c.ParentID = *parent
	}
	return c, err
}

// LoadCertificate reads a certificate, or returns store.ErrNotFound.
func LoadCertificate(tx *store.Tx, id string) (*Certificate, error) {
	return store.Get(tx, scanCertificate, "SELECT "+certificateColumns+" FROM morango_certificate WHERE id = ?", id)
}

// SelectCertificates reads the certificates that meet a condition on the table c, in the order of
// their trees: parents before children.
func SelectCertificates(tx *store.Tx, where string, args ...any) ([]*Certificate, error) {
	return store.Select(tx, scanCertificate, "SELECT "+certificateColumns+" FROM morango_certificate c WHERE "+where+" ORDER BY tree_id, lft", args...)
}

// Chain reads a certificate with those above it, the root first.
func Chain(tx *store.Tx, id string) ([]*Certificate, error) {
	return SelectCertificates(tx, `EXISTS (SELECT 1 FROM morango_certificate leaf WHERE leaf.id = ? AND leaf.tree_id = c.tree_id
		AND c.lft <= leaf.lft AND c.rght >= leaf.rght)`, id)
}

// Descendants reads a certificate with those below it, itself first.
func Descendants(tx *store.Tx, id string) ([]*Certificate, error) {
	return SelectCertificates(tx, `EXISTS (SELECT 1 FROM morango_certificate top WHERE top.id = ? AND top.tree_id = c.tree_id
		AND c.lft >= top.lft AND c.lft <= top.rght)`, id)
}

// Save stores a certificate: a root as a tree of its own, another at the end of its parent's children.
// The parent must be stored.
func (c *Certificate) Save(tx *store.Tx) error {
	const columns = `INSERT INTO morango_certificate (id, profile, scope_version, scope_params, public_key, serialized, signature,
		scope_definition_id, private_key, salt, lft, rght, tree_id, level, parent_id) `
	values := []any{c.ID, c.Profile, c.ScopeVersion, c.ScopeParams, c.PublicKey, c.Serialized, c.Signature, c.Scope, store.Null(c.PrivateKey), c.Salt}
	if c.ParentID == "" {
		_, err := tx.Exec(columns+"SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 2, coalesce(max(tree_id), 0) + 1, 0, NULL FROM morango_certificate", values...)
		return err
	}
	var left, tree, level int64
	if tx.Dialect() == store.Postgres { // two certificates at once would take the same place in the tree
		_, err := tx.Exec(`SELECT 1 FROM morango_certificate root JOIN morango_certificate parent ON parent.tree_id = root.tree_id
			WHERE parent.id = ? AND root.parent_id IS NULL FOR UPDATE OF root`, c.ParentID)
		if err != nil {
			return err
		}
	}
	err := tx.QueryRow("SELECT rght, tree_id, level FROM morango_certificate WHERE id = ?", c.ParentID).Scan(&left, &tree, &level)
	if err != nil {
		return err
	}
	for _, column := range []string{"rght", "lft"} {
		_, err := tx.Exec("UPDATE morango_certificate SET "+column+" = "+column+" + 2 WHERE tree_id = ? AND "+column+" >= ?", tree, left)
		if err != nil {
			return err
		}
	}
	_, err = tx.Exec(columns+"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", append(values, left, left+1, tree, level+1, c.ParentID)...)
	return err
}

// KnownScope tells whether there is a scope of this name.
func KnownScope(name string) bool { return name == FullFacility || name == SingleUser }
