package importing

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"kolibri/core/api"
	"kolibri/core/content/storage"
	"kolibri/store"
)

// databases is the folder of a drive in which channels' databases lie.
const databases = "content/databases"

// onDrive is a channel as the list of drives shows it.
// kolibri/core/content/utils/channels.py: get_channels_for_data_folder
type onDrive struct {
	Path        string  `json:"path"`
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Tagline     *string `json:"tagline"`
	Thumbnail   string  `json:"thumbnail"`
	Version     int64   `json:"version"`
	Root        string  `json:"root"`
	Author      string  `json:"author"`
	LastUpdated *string `json:"last_updated"`
	LangCode    *string `json:"lang_code"`
	LangName    *string `json:"lang_name"`
}

// On describes the channels that lie in a folder with the layout of KOLIBRI_DATA. A file that is no
// channel's database is passed over.
func (i *Importer) On(ctx context.Context, folder fs.FS) []any {
	all := []any{}
	entries, err := fs.ReadDir(folder, databases)
	if err != nil {
		return all
	}
	for _, e := range entries {
		id, isDatabase := strings.CutSuffix(e.Name(), ".sqlite3")
		if _, isID := api.ParseUUID(id); !isDatabase || !isID {
			continue
		}
		name := path.Join(databases, e.Name())
		c := &onDrive{Path: name}
		err := readDatabase(ctx, folder, name, func(tx *store.Tx) error { return c.read(tx, id) })
		if err != nil {
			i.host.Log.Warn("a file on a drive is no channel", "file", name, "error", err)
			continue
		}
		all = append(all, c)
	}
	return all
}

func (c *onDrive) read(tx *store.Tx, id string) error {
	meta, err := ReadMeta(tx, "main", id)
	if err != nil {
		return err
	}
	has, err := columnsOf(tx, "main")
	if err != nil {
		return err
	}
	optional := func(name, missing string) string {
		if has["content_channelmetadata"][name] {
			return name
		}
		return missing
	}
	c.ID, c.Name, c.Version = meta.ID, meta.Name, meta.Version
	return tx.QueryRow("SELECT coalesce("+optional("description", "''")+", ''), "+optional("tagline", "''")+", coalesce("+optional("thumbnail", "''")+", ''), "+
		"coalesce(replace("+optional("root_id", optional("root_pk", "''"))+", '-', ''), ''), coalesce("+optional("author", "''")+", ''), CAST("+
		optional("last_updated", "NULL")+" AS TEXT) FROM content_channelmetadata").
		Scan(&c.Description, &c.Tagline, &c.Thumbnail, &c.Root, &c.Author, &c.LastUpdated)
}

// readDatabase reads a channel's database where it lies.
func readDatabase(ctx context.Context, folder fs.FS, name string, fn func(*store.Tx) error) error {
	f, err := folder.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return errors.New("the file is empty")
	}
	file, inPlace := f.(io.ReaderAt)
	if !inPlace {
		all, err := io.ReadAll(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		file = bytes.NewReader(all)
	}
	return store.ReadFile(ctx, file, info.Size(), fn)
}

// drive is a folder with the layout of KOLIBRI_DATA.
type drive struct {
	store   *storage.Store
	fsys    fs.FS // its root holds content/
	channel string
}

func (d *drive) Listing() *Listing { return nil }

func (d *drive) DatabaseSize(context.Context) (int64, error) {
	info, err := fs.Stat(d.fsys, "content/"+storage.DatabaseName(d.channel))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d *drive) Database(ctx context.Context, name string, progress func(int64)) error {
	return d.store.Copy(ctx, d.fsys, "content/"+storage.DatabaseName(d.channel), name, "", progress)
}

func (d *drive) File(ctx context.Context, name, checksum string, progress func(int64)) error {
	return d.store.Copy(ctx, d.fsys, "content/"+name, name, checksum, progress)
}
