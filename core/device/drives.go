package device

import (
	"kolibri/core/api"
	"kolibri/core/auth"
)

// Drive is a mounted file system from which content can be imported, or to which it can be exported.
// kolibri/core/discovery/utils/filesystem: DriveData
type Drive struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Path       string         `json:"path"`
	Writable   bool           `json:"writable"`
	DataFolder string         `json:"datafolder"`
	FreeSpace  int64          `json:"freespace"`
	TotalSpace int64          `json:"totalspace"`
	FileSystem string         `json:"filesystem"`
	DriveType  string         `json:"drivetype"`
	Metadata   map[string]any `json:"metadata"`
}

// DriveLister is a host that knows of drives. A host's Device may implement it; a browser has none.
type DriveLister interface {
	Drives() ([]Drive, error)
}

func (d *Device) drives() ([]Drive, error) {
	if host, ok := d.host.Device.(DriveLister); ok {
		return host.Drives()
	}
	return []Drive{}, nil
}

// listDrives: kolibri/core/device/api.py: DriveInfoViewSet
func (d *Device) listDrives(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	return d.drives()
}

func (d *Device) showDrive(r *api.Request) (any, error) {
	if _, err := auth.RequireContentManager(r); err != nil {
		return nil, err
	}
	all, err := d.drives()
	if err != nil {
		return nil, err
	}
	for _, drive := range all {
		if drive.ID == r.Param("pk") {
			return drive, nil
		}
	}
	return nil, r.NotFound()
}
