package depot

import (
	"context"
	"time"

	"kolibri/store"
)

// Node is one of several relays. Tabs is what it says of its tabs, as JSON.
type Node struct{ ID, URL, Tabs string }

// nodeLife is how long a relay counts that has not been heard of.
const nodeLife = 5 * time.Second

// Announce tells the others of this relay, and returns them.
func (d *Depot) Announce(ctx context.Context, me Node) (others []Node, err error) {
	err = d.db.Write(ctx, func(tx *store.Tx) (err error) {
		now := tx.Now().UnixMilli()
		if _, err := tx.Exec(`INSERT INTO relay_node (id, url, tabs, seen) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET tabs = excluded.tabs, seen = excluded.seen`, me.ID, me.URL, me.Tabs, now); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM relay_node WHERE seen < ?", now-20*nodeLife.Milliseconds()); err != nil {
			return err
		}
		others, err = store.Select(tx, func(s store.Scanner) (n Node, err error) {
			return n, s.Scan(&n.ID, &n.URL, &n.Tabs)
		}, "SELECT id, url, tabs FROM relay_node WHERE id <> ? AND seen > ? ORDER BY id", me.ID, now-nodeLife.Milliseconds())
		return err
	})
	return others, err
}

// Leave takes a relay out of the list.
func (d *Depot) Leave(ctx context.Context, id string) error {
	return d.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM relay_node WHERE id = ?", id)
		return err
	})
}
