package syncing

import (
	"context"

	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/peer"
	"kolibri/store"
)

// portalCertificates finds what this device and the data portal may use for a facility of this device.
// The portal gets its certificate from here, the first time.
// kolibri/core/auth/management/commands/sync.py: handle_async
func (s *Syncer) portalCertificates(ctx context.Context, c *peer.Connection, facility string) (pair, error) {
	var dataset, name string
	var owned []*morango.Certificate
	err := s.Host.DB.Read(ctx, func(tx *store.Tx) error {
		type row struct{ id, dataset, name string }
		all, err := store.Select(tx, func(r store.Scanner) (f row, err error) { return f, r.Scan(&f.id, &f.dataset, &f.name) },
			"SELECT id, dataset_id, name FROM kolibriauth_collection WHERE kind = ? ORDER BY name, id", auth.KindFacility)
		if err != nil {
			return err
		}
		if facility == "" && len(all) > 1 {
			return failf("There are multiple facilities on this device. Please pass in a facility ID by passing in --facility {ID} after the command.")
		}
		for _, f := range all {
			if facility == "" || facility == f.id {
				dataset, name = f.dataset, f.name
			}
		}
		if dataset == "" {
			return failf("Facility with ID %s does not exist", facility)
		}
		owned, err = certificates.Owned(tx, dataset, morango.FullFacility)
		return err
	})
	if err != nil {
		return pair{}, err
	}
	if len(owned) == 0 {
		return pair{}, failf("This device does not own a certificate for Facility: %s", name)
	}
	theirs, err := c.Certificates(ctx, dataset, morango.FullFacility)
	if err != nil {
		return pair{}, err
	}
	if len(theirs) > 0 {
		server, err := c.Know(ctx, s.Host.DB, dataset, theirs[0])
		return pair{owned[0], server}, err
	}
	server, err := c.PushCertificate(ctx, s.Host.DB, owned[0])
	return pair{owned[0], server}, err
}
