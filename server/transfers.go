package server

import (
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango/session"
)

// NewTransfers makes what takes synchronizations through their stages, with the apps' parts in them.
func NewTransfers(host *api.Host) *session.Controller {
	return &session.Controller{DB: host.DB, Random: host.Rand, Log: host.Log, Widen: auth.ClassroomFilter, Batch: syncBatch,
		Hooks: slices.Clone(syncHooks)}
}
