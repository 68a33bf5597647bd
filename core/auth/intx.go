package auth

import (
	"context"

	"kolibri/core/api"
	"kolibri/store"
)

// inTx runs part of a NoTx handler in a transaction, which the request carries meanwhile.
func inTx(r *api.Request, run func(context.Context, func(*store.Tx) error) error, fn func() error) error {
	return run(r.Ctx, func(tx *store.Tx) error {
		r.Tx = tx
		defer func() { r.Tx = nil }()
		return fn()
	})
}
