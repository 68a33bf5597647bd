package certificates

import (
	"errors"
	"io"
	"time"

	"kolibri/morango"
	"kolibri/store"
)

// nonceLife is how long a nonce can be used.
const nonceLife = time.Minute

// Nonce is a value to be signed once, by which a device shows that it holds a key now.
type Nonce struct {
	ID        string
	Timestamp time.Time
	IP        string // of whoever asked
}

// NewNonce makes a nonce, and removes those that nobody used in time.
func NewNonce(tx *store.Tx, random io.Reader, ip string) (Nonce, error) {
	if _, err := tx.Exec("DELETE FROM morango_nonce WHERE timestamp < ?", tx.Now().Add(-nonceLife)); err != nil {
		return Nonce{}, err
	}
	id, err := morango.NewID(random)
	if err != nil {
		return Nonce{}, err
	}
	n := Nonce{id, tx.Now(), ip}
	_, err = tx.Exec("INSERT INTO morango_nonce (id, timestamp, ip) VALUES (?, ?, ?)", n.ID, n.Timestamp, n.IP)
	return n, err
}

// ErrNonce tells that a nonce is unknown, was used already, or is too old.
var ErrNonce = errors.New("morango: the nonce is not valid")

// UseNonce takes a nonce out of circulation. It returns ErrNonce unless it was valid until now.
func UseNonce(tx *store.Tx, id string) error {
	if !isID(id) {
		return ErrNonce
	}
	var made store.NullTime
	err := tx.QueryRow("DELETE FROM morango_nonce WHERE id = ? RETURNING timestamp", id).Scan(&made)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNonce
	}
	if err != nil {
		return err
	}
	if age := tx.Now().Sub(made.Time); age < 0 || age >= nonceLife {
		return ErrNonce
	}
	return nil
}
