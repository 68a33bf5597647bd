package importing

import (
	"context"

	"kolibri/core/content"
	"kolibri/core/content/storage"
	"kolibri/core/tasks"
	"kolibri/store"
)

// runDelete takes a channel, or parts of it, off the device: first the library forgets it, then the
// files go that nothing needs any more.
// kolibri/core/content/utils/content_delete.py: delete_content
func (i *Importer) runDelete(ctx context.Context, t *tasks.Task) (any, error) {
	channel, _ := t.Job.Args[0].(string)
	force, _ := t.Job.Kwargs["force_delete"].(bool)
	return nil, i.Delete(ctx, t, channel, selectionOf(t.Job.Kwargs), force)
}

// Delete takes a channel off the device, or the resources of a selection. force also hides what
// shares files with them in other channels.
func (i *Importer) Delete(_ context.Context, t Worker, channel string, selection Selection, force bool) error {
	i.together.Lock()
	defer i.together.Unlock()
	defer i.cache.forget(channel)
	whole := (selection.Nodes == nil || len(*selection.Nodes) == 0) && len(selection.Except) == 0
	if whole {
		selection = Selection{}
	}
	var unused []file
	var resources int64
	err := t.Write(func(tx *store.Tx) error {
		p, err := installed(tx, channel)
		if err != nil {
			return err
		}
		if p == nil {
			return tasks.Fail("KeyError", "Channel matching id "+channel+" does not exist")
		}
		before, err := countResources(tx, channel)
		if err != nil {
			return err
		}
		if err := Hide(tx, channel, selection); err != nil {
			return err
		}
		after, err := countResources(tx, channel)
		if err != nil {
			return err
		}
		if force {
			if err := hideSharers(tx, channel); err != nil {
				return err
			}
		}
		if whole || after == 0 {
			whole = true
			if err := deleteTree(tx, channel, p.root); err != nil {
				return err
			}
			if err := content.Touch(tx); err != nil {
				return err
			}
		}
		if unused, err = unusedFiles(tx); err != nil {
			return err
		}
		resources = before - after
		return nil
	})
	if err == nil {
		err = t.Metadata(map[string]any{"file_size": total(unused), "total_resources": resources})
	}
	if err != nil {
		return err
	}
	if err := i.removeFiles(t, unused); err != nil || !whole {
		return err
	}
	for _, name := range []string{storage.DatabaseName(channel), storage.UpgradeName(channel)} {
		if err := i.store.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// hideSharers makes unavailable what needs the files of the hidden resources in other channels, so
// that these files can go.
func hideSharers(tx *store.Tx, channel string) error {
	const files = `SELECT f.local_file_id FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id
		WHERE n.channel_id = ? AND n.available = FALSE`
	const sharing = `SELECT f.contentnode_id FROM content_file f WHERE f.supplementary = FALSE AND f.local_file_id IN (` + files + ")"
	channels, err := tx.Strings("SELECT DISTINCT channel_id FROM content_contentnode WHERE available = TRUE AND id IN ("+sharing+")", channel)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE content_contentnode SET available = FALSE WHERE id IN ("+sharing+")", channel); err != nil {
		return err
	}
	for _, c := range channels {
		if err := annotateTree(tx, c); err != nil {
			return err
		}
	}
	return nil
}

// unusedFiles are the stored files that no available node refers to.
func unusedFiles(tx *store.Tx) ([]file, error) {
	return store.Select(tx, func(row store.Scanner) (f file, err error) {
		return f, row.Scan(&f.checksum, &f.extension, &f.size)
	}, `SELECT l.id, l.extension, coalesce(l.file_size, 0) FROM content_localfile l WHERE l.available = TRUE AND NOT EXISTS (
		SELECT 1 FROM content_file f JOIN content_contentnode n ON n.id = f.contentnode_id WHERE f.local_file_id = l.id AND n.available = TRUE)`)
}

// removeFiles deletes files and then says that they are gone: a file that is there without being
// known costs space, one that is known without being there breaks a page, so the library is told first
// in stretches that are soon done.
func (i *Importer) removeFiles(t Worker, files []file) error {
	const stretch = 200
	steps := float64(len(files) + 1)
	for at := 0; at < len(files); at += stretch {
		part := files[at:min(at+stretch, len(files))]
		sums := make([]string, len(part))
		for n, f := range part {
			sums[n] = f.checksum
		}
		if err := t.Write(func(tx *store.Tx) error { return markFiles(tx, false, sums) }); err != nil {
			return err
		}
		for n, f := range part {
			name, err := storage.FileName(f.checksum, f.extension)
			if err != nil {
				continue // never stored under a name that is none
			}
			if err := i.store.Remove(name); err != nil {
				return err
			}
			if err := t.Progress(float64(at+n+1), steps, nil); err != nil {
				return err
			}
		}
	}
	if err := t.Write(func(tx *store.Tx) error {
		_, err := tx.Exec("DELETE FROM content_localfile WHERE NOT EXISTS (SELECT 1 FROM content_file f WHERE f.local_file_id = content_localfile.id)")
		return err
	}); err != nil {
		return err
	}
	return t.Progress(steps, steps, nil)
}
