package importing

import (
	"context"
	"errors"
	"io/fs"

	"github.com/hack-pad/hackpadfs"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/core/content/storage"
	"kolibri/core/tasks"
	"kolibri/store"
)

// ExportChoice says what of a channel goes to a folder.
type ExportChoice struct {
	Channel string
	Selection
	// The parts; the manifest goes with the content.
	Database, Content bool
	// ManifestOnly leaves the files out and writes what they would be.
	ManifestOnly bool
}

// Progress hears how many bytes are done of how many; an error ends the work.
type Progress func(done, total int64) error

func (i *Importer) validateExport(r *api.Request, _ *auth.Person, data map[string]any) (tasks.Spec, error) {
	v, err := r.Clean(data, join(channelFields, []api.Field{{Name: "drive_id", Clean: i.cleanDrive}}, selectionFields), false)
	if err != nil {
		return tasks.Spec{}, err
	}
	spec := channelSpec(v)
	addSelection(&spec, v)
	spec.ExtraMetadata["drive_id"] = v.String("drive_id")
	spec.Args = append(spec.Args, v.String("drive_id"))
	return spec, nil
}

// runExport copies a channel, or parts of it, to a drive.
// kolibri/core/content/tasks.py: diskexport
func (i *Importer) runExport(ctx context.Context, t *tasks.Task) (any, error) {
	channel, _ := t.Job.Args[0].(string)
	id, _ := t.Job.Args[1].(string)
	folder, err := i.openDrive(ctx, id)
	if err != nil {
		return nil, err
	}
	e, err := i.prepareExport(ctx, ExportChoice{Channel: channel, Selection: selectionOf(t.Job.Kwargs), Database: true, Content: true})
	if err != nil {
		return nil, err
	}
	if err := t.Metadata(map[string]any{"file_size": total(e.files), "total_resources": e.resources}); err != nil {
		return nil, err
	}
	err = e.run(ctx, folder, func(done, total int64) error { return t.Progress(float64(done), float64(max(total, 1)), nil) })
	if err != nil {
		return nil, err
	}
	return nil, t.Metadata(map[string]any{"transferred_file_size": e.done})
}

// Export copies a channel to a folder with the layout of KOLIBRI_DATA, which it makes.
func (i *Importer) Export(ctx context.Context, c ExportChoice, folder fs.FS, progress Progress) error {
	e, err := i.prepareExport(ctx, c)
	if err != nil {
		return err
	}
	return e.run(ctx, folder, progress)
}

// export is one at work.
type export struct {
	*Importer
	ExportChoice
	version      int64
	resources    int64
	files        []file
	databaseSize int64
	done         int64
}

func (i *Importer) prepareExport(ctx context.Context, c ExportChoice) (*export, error) {
	e := &export{Importer: i, ExportChoice: c}
	err := i.host.DB.Write(ctx, func(tx *store.Tx) error { // temporary tables are written
		p, err := installed(tx, c.Channel)
		if err != nil {
			return err
		}
		if p == nil {
			return tasks.Fail("ChannelMetadata.DoesNotExist", "Channel matching id "+c.Channel+" does not exist")
		}
		e.version = p.version
		if c.Content {
			e.resources, e.files, err = choose(tx, c.Channel, i.host.Pages.Presets(), choice{Selection: c.Selection, renderableOnly: true, available: true})
		}
		return err
	})
	if err == nil && c.Database {
		e.databaseSize, err = i.store.Size(storage.DatabaseName(c.Channel))
		if errors.Is(err, fs.ErrNotExist) {
			err = tasks.Fail("FileNotFoundError", "the database of the channel is not on this device: import the channel again")
		}
	}
	return e, err
}

// run copies the database, then the files, then writes what is there to a manifest. A file that is
// there with the right size stays.
// kolibri/core/content/utils/resource_export.py: DiskChannelResourceExportManager
func (e *export) run(ctx context.Context, folder fs.FS, progress Progress) error {
	target := &storage.Store{FS: folder}
	whole := e.databaseSize
	if !e.ManifestOnly {
		whole += total(e.files)
	}
	var failed error
	count := func(n int64) {
		if e.done += n; failed == nil {
			failed = progress(e.done, whole)
		}
	}
	if err := progress(0, whole); err != nil {
		return err
	}
	if e.Database {
		name := storage.DatabaseName(e.Channel)
		if err := target.Copy(ctx, e.store.FS, name, "content/"+name, "", count); err != nil || failed != nil {
			return errors.Join(failed, unwritable(err))
		}
	}
	for _, f := range e.files {
		if e.ManifestOnly {
			break
		}
		name, err := storage.FileName(f.checksum, f.extension)
		if err != nil {
			count(f.size)
			continue
		}
		if size, err := target.Size("content/" + name); err == nil && size == f.size {
			count(f.size)
		} else if err := target.Copy(ctx, e.store.FS, name, "content/"+name, f.checksum, count); errors.Is(err, storage.ErrMissing) {
			e.host.Log.Warn("a file of the channel is missing here", "channel", e.Channel, "file", name)
		} else if err != nil {
			return errors.Join(failed, unwritable(err))
		}
		if failed != nil {
			return failed
		}
	}
	if !e.Content {
		return nil
	}
	return e.writeManifest(ctx, folder)
}

// unwritable says that a drive takes nothing.
func unwritable(err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, hackpadfs.ErrNotImplemented) {
		return tasks.Fail("PermissionError", "the drive cannot be written: "+err.Error())
	}
	return err
}

// writeManifest adds what was exported to a folder's manifest.
func (e *export) writeManifest(ctx context.Context, folder fs.FS) error {
	m, err := ReadManifest(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var include []string
	err = e.host.DB.Write(ctx, func(tx *store.Tx) (err error) {
		if _, _, err = choose(tx, e.Channel, e.host.Pages.Presets(), choice{Selection: e.Selection, renderableOnly: true, available: true}); err != nil {
			return err
		}
		include, err = summarize(tx, e.Channel)
		return err
	})
	if err != nil {
		return err
	}
	m.add(e.Channel, e.version, include)
	text, err := m.text()
	if err != nil {
		return err
	}
	if err := hackpadfs.MkdirAll(folder, "content", 0o755); err != nil {
		return unwritable(err)
	}
	return unwritable(hackpadfs.WriteFullFile(folder, manifestName, text, 0o644))
}
