package device

import (
	"slices"
	"strings"

	"kolibri/core/api"
	"kolibri/core/auth"
)

// StorageKeeper is a host that can keep content elsewhere from its next start on. A host's Device
// may implement it; where it does not, content stays where it is.
type StorageKeeper interface {
	// FallbackDirs are the places beside the first from which content is read.
	FallbackDirs() []string
	// SetStorage keeps the new places: primary is unchanged when nil, secondary when nil.
	SetStorage(primary *string, secondary []string) error
}

// checkStorage refuses places where content cannot be kept, and keeps those that are changed.
func (d *Device) checkStorage(bad *api.Invalidities, v api.Values) {
	var primary *string
	if path, ok := v["primary_storage_location"].(string); ok && path != d.host.Device.ContentDir() {
		if !isDirectory(path) || !writable(path) {
			bad.Add(api.Invalid, "primary_storage_location", "Primary storage location must be a writable directory")
			return
		}
		primary = &path
	}
	var secondary []string
	if paths, ok := v["secondary_storage_locations"].([]any); ok {
		secondary = []string{}
		for _, p := range paths {
			path, _ := p.(string)
			if strings.TrimSpace(path) == "" {
				continue
			}
			if !isDirectory(path) {
				bad.Add(api.Invalid, "secondary_storage_locations", "Secondary storage location must be a directory")
				return
			}
			secondary = append(secondary, path)
		}
	}
	keeper, ok := d.host.Device.(StorageKeeper)
	var now []string
	if ok {
		now = keeper.FallbackDirs()
	}
	if slices.Equal(secondary, now) {
		secondary = nil
	}
	if primary == nil && secondary == nil {
		return
	}
	field := "secondary_storage_locations"
	if primary != nil {
		field = "primary_storage_location"
	}
	if !ok {
		bad.Add(api.Invalid, field, "This device keeps its content in one place")
		return
	}
	if err := keeper.SetStorage(primary, secondary); err != nil {
		d.host.Log.Error("the new place for content cannot be kept", "error", err)
		bad.Add(api.Invalid, field, "The new place cannot be kept")
	}
}

// pathPermission tells what can be done at a path of this machine.
// kolibri/core/device/api.py: PathPermissionView
func (d *Device) pathPermission(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	path := d.host.Device.ContentDir()
	if given := r.Query()["path"]; len(given) > 0 {
		path = given[len(given)-1]
	}
	return map[string]any{"writable": writable(path), "directory": isDirectory(path), "path": path}, nil
}
