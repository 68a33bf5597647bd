package server

import (
	"kolibri/core/assignments"
	"kolibri/core/auth"
	"kolibri/core/device"
	"kolibri/core/device/soud"
	"kolibri/core/notifications"
	"kolibri/morango/transfer"
)

// syncHooks are the apps' parts in every synchronization.
var syncHooks = transfer.Hooks{auth.SyncHook, device.StatusHook, soud.Hook, assignments.SyncHook, notifications.SyncHook}
