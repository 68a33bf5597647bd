package device

import (
	"context"
	"fmt"
	"io/fs"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
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

// DriveLister is a host that knows of drives: mounted file systems natively, folders that somebody
// chose in a browser. A host's Device may implement it.
type DriveLister interface {
	// Drives lists them; Metadata is filled by this package.
	Drives(ctx context.Context) ([]Drive, error)
	// OpenDrive opens the KOLIBRI_DATA folder of a drive, which may be empty or not be there yet: the
	// root of the file system holds content/databases and content/storage. fs.ErrNotExist says that
	// there is no such drive. Its files should implement io.ReaderAt, by which the databases of
	// channels are read in place. A drive to which content can be exported implements hackpadfs's
	// OpenFileFS, MkdirAllFS, RenameFS and RemoveFS.
	OpenDrive(ctx context.Context, id string) (fs.FS, error)
}

// DrivesOf is what a host knows of drives; most browsers' hosts have none.
func DrivesOf(h *api.Host) DriveLister {
	if host, ok := h.Device.(DriveLister); ok {
		return host
	}
	return noDrives{}
}

type noDrives struct{}

func (noDrives) Drives(context.Context) ([]Drive, error) { return []Drive{}, nil }

func (noDrives) OpenDrive(_ context.Context, id string) (fs.FS, error) {
	return nil, fmt.Errorf("drive %q: %w", id, fs.ErrNotExist)
}

// drives lists the drives with the channels on them.
func (d *Device) drives(ctx context.Context) ([]Drive, error) {
	lister := DrivesOf(d.host)
	all, err := lister.Drives(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		channels := []any{}
		if d.channelsOn != nil {
			if folder, err := lister.OpenDrive(ctx, all[i].ID); err == nil {
				channels = d.channelsOn(ctx, folder)
			}
		}
		all[i].Metadata = map[string]any{"channels": channels}
	}
	return all, nil
}

// listDrives: kolibri/core/device/api.py: DriveInfoViewSet
func (d *Device) listDrives(r *api.Request) (any, error) {
	if err := d.mayManage(r); err != nil {
		return nil, err
	}
	return d.drives(r.Ctx)
}

func (d *Device) showDrive(r *api.Request) (any, error) {
	if err := d.mayManage(r); err != nil {
		return nil, err
	}
	all, err := d.drives(r.Ctx)
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

// mayManage asks in a transaction that ends before a drive is touched, since drives can be slow.
func (d *Device) mayManage(r *api.Request) error {
	return d.host.DB.Read(r.Ctx, func(tx *store.Tx) error {
		r.Tx = tx
		defer func() { r.Tx = nil }()
		_, err := auth.RequireContentManager(r)
		return err
	})
}
