//go:build unix

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"kolibri/core/api"
	"kolibri/core/content/importing"
	"kolibri/core/content/storage"
	"kolibri/core/device"
	"kolibri/server/pages"
	"kolibri/store"
)

// contentFlags are the arguments of the verbs for channels, by their positions and names
// (kolibri/core/content/management/commands).
type contentFlags struct {
	baseURL, peer, dir, drive, manifest, nodes, except string
	timeout                                            int
	later, unrenderable, thumbnails, update, failing   bool
	noManifest, manifestOnly, force                    bool
	given                                              map[string]bool
}

func (f *contentFlags) define(flags *flag.FlagSet) {
	flags.StringVar(&f.baseURL, "baseurl", "", "The host to download from (default: the configured source)")
	flags.StringVar(&f.peer, "peer_id", "", "The id of a known device to download from")
	flags.StringVar(&f.dir, "content_dir", "", "Keep content in this folder")
	flags.StringVar(&f.drive, "drive_id", "", "The id of the drive that the directory is on")
	flags.StringVar(&f.manifest, "manifest", "", "A manifest of the content to import")
	for _, name := range []string{"node_ids", "n"} {
		flags.StringVar(&f.nodes, name, "", "The ids of nodes, with commas between them; only these and what is below them")
	}
	flags.StringVar(&f.except, "exclude_node_ids", "", "The ids of nodes, with commas between them; not these and what is below them")
	flags.IntVar(&f.timeout, "timeout", 0, "Accepted for the original's sake")
	flags.BoolVar(&f.later, "no_upgrade", false, "Only keep the database for a later upgrade")
	flags.BoolVar(&f.unrenderable, "include-unrenderable-content", false, "Import all content, not just that which can be shown")
	flags.BoolVar(&f.thumbnails, "all-thumbnails", false, "Import the thumbnails of all nodes")
	flags.BoolVar(&f.update, "import_updates", false, "Import all updated content after a channel version upgrade")
	flags.BoolVar(&f.failing, "fail-on-error", false, "Fail when a file cannot be imported")
	flags.BoolVar(&f.noManifest, "no_detect_manifest", false, "Do not look for a manifest in the directory")
	flags.BoolVar(&f.manifestOnly, "manifest-only", false, "Write the manifest only")
	for _, name := range []string{"force_delete", "f"} {
		flags.BoolVar(&f.force, name, false, "Ensure removal of files")
	}
}

// selection reads the lists of nodes.
func (f *contentFlags) selection() (s importing.Selection) {
	if f.given["node_ids"] || f.given["n"] {
		nodes := list(f.nodes)
		s.Nodes = &nodes
	}
	s.Except = list(f.except)
	return s
}

func list(text string) []string {
	all := []string{}
	for _, id := range strings.Split(text, ",") {
		if id = strings.TrimSpace(id); id != "" {
			all = append(all, id)
		}
	}
	return all
}

// split sorts arguments into options and the others, which may stand in any order.
func split(args []string, takesValue func(name string) bool) (options, others []string) {
	for i := 0; i < len(args); i++ {
		name, isOption := strings.CutPrefix(args[i], "-")
		if !isOption || name == "" {
			others = append(others, args[i])
			continue
		}
		options = append(options, args[i])
		if name = strings.TrimPrefix(name, "-"); !strings.Contains(name, "=") && takesValue(name) && i+1 < len(args) {
			i++
			options = append(options, args[i])
		}
	}
	return options, others
}

// content prepares a verb for channels: its options, and as many other arguments as it wants.
func (c *command) content(name string, args []string, positions string) (*settings, *contentFlags, []string, int) {
	f := &contentFlags{given: map[string]bool{}}
	known := flag.NewFlagSet("", flag.ContinueOnError)
	f.define(known)
	options, others := split(args, func(name string) bool {
		of := known.Lookup(name)
		if of == nil {
			return false
		}
		is, ok := of.Value.(interface{ IsBoolFlag() bool })
		return !ok || !is.IsBoolFlag()
	})
	for _, o := range options {
		option, _, _ := strings.Cut(strings.TrimLeft(o, "-"), "=")
		f.given[option] = true
	}
	s, code := c.settings("manage "+name, options, f.define)
	if s == nil {
		return nil, nil, nil, code
	}
	if f.dir != "" {
		s.ContentDir = f.dir
	}
	if wanted := strings.Fields(positions); len(others) != len(wanted) {
		return nil, nil, nil, c.usage("kolibri manage "+name, fmt.Sprintf("the arguments are: %s %s", name, positions))
	}
	return s, f, others, 0
}

// withPages runs a verb that needs the built front end, until it is done or interrupted.
func (c *command) withPages(fn func(context.Context, *pages.Pages) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := func() error {
		front, err := findFrontEnd("", c.log)
		if err != nil {
			return err
		}
		defer front.close()
		built, err := pages.Load(front.files, pages.Site{})
		if err != nil {
			return err
		}
		return fn(ctx, built)
	}()
	if err != nil {
		return c.fail(err)
	}
	return 0
}

// atHome opens the home for fn, beside a running server where there is one.
func (c *command) atHome(ctx context.Context, s *settings, fn func(*api.Host) error) (err error) {
	h, err := openHome(ctx, s, c.log, unused(s) == nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(context.WithoutCancel(ctx))) }()
	host := hostOf(h)
	host.Base = ctx
	return fn(&host)
}

// withChannels opens the home for work on its channels.
func (c *command) withChannels(s *settings, fn func(context.Context, *importing.Importer, *console) error) int {
	return c.withPages(func(ctx context.Context, viewers *pages.Pages) error {
		return c.atHome(ctx, s, func(host *api.Host) error {
			host.Pages = presetsOnly{all: viewers.Presets()}
			content, err := storage.Folder(s.ContentDir, api.NewOutgoing(forContent()))
			if err != nil {
				return err
			}
			return fn(ctx, importing.New(host, content, device.DrivesOf(host)), &console{ctx: ctx, c: c, db: host.DB})
		})
	})
}

// presetsOnly is what an import needs of the pages.
type presetsOnly struct {
	api.Pages
	all []string
}

// Presets implements api.Pages.
func (p presetsOnly) Presets() []string { return p.all }

// console reports an import on the command line.
type console struct {
	ctx  context.Context
	c    *command
	db   *store.DB
	last time.Time
}

// Progress implements importing.Worker.
func (o *console) Progress(done, total float64, _ map[string]any) error {
	if now := time.Now(); now.Sub(o.last) > 5*time.Second {
		if !o.last.IsZero() && total > 0 {
			fmt.Fprintf(o.c.err, "%3.0f%%\n", 100*min(1, done/total))
		}
		o.last = now
	}
	return context.Cause(o.ctx)
}

// Metadata implements importing.Worker.
func (o *console) Metadata(m map[string]any) error {
	if n, ok := m["total_resources"]; ok {
		fmt.Fprintf(o.c.err, "%v resources, %v bytes\n", n, m["file_size"])
	}
	return nil
}

// Read implements importing.Worker.
func (o *console) Read(fn func(*store.Tx) error) error { return o.db.Read(o.ctx, fn) }

// Write implements importing.Worker.
func (o *console) Write(fn func(*store.Tx) error) error { return o.db.Write(o.ctx, fn) }

// origin reads where an import comes from: network <channel>, or disk <channel> <directory>.
func (f *contentFlags) origin(others []string) (importing.Command, error) {
	command := importing.Command{Channel: others[1], BaseURL: f.baseURL, Peer: f.peer, Later: f.later, Update: f.update,
		FailOnError: f.failing, AllThumbnails: f.thumbnails, UnrenderableToo: f.unrenderable, Selection: f.selection()}
	if others[0] != "disk" {
		return command, nil
	}
	folder, err := openFolder(others[2])
	command.Folder = folder
	return command, err
}

// sourceOf tells how many arguments the source needs that an import names first.
func sourceOf(args []string) string {
	if slices.Contains(args, "disk") {
		return "disk channel_id directory"
	}
	return "network channel_id"
}

// importChannel imports a channel's database.
// kolibri/core/content/management/commands/importchannel.py
func importChannel(c *command, args []string) int {
	s, f, others, code := c.content("importchannel", args, sourceOf(args))
	if s == nil {
		return code
	}
	command, err := f.origin(others)
	if err != nil {
		return c.fail(err)
	}
	command.Database = true
	return c.withChannels(s, func(ctx context.Context, i *importing.Importer, w *console) error { return i.Run(ctx, w, command) })
}

// importContent imports the files of a channel that is known.
// kolibri/core/content/management/commands/importcontent.py
func importContent(c *command, args []string) int {
	s, f, others, code := c.content("importcontent", args, sourceOf(args))
	if s == nil {
		return code
	}
	command, err := f.origin(others)
	if err != nil {
		return c.fail(err)
	}
	chosen := command.Nodes != nil || len(command.Except) > 0
	if f.manifest != "" && chosen {
		return c.usage("kolibri manage importcontent", "The --manifest option must not be combined with --node_ids or --exclude_node_ids.")
	}
	if !chosen && !command.Update {
		var m *importing.Manifest
		switch {
		case f.manifest != "":
			text, err := os.ReadFile(f.manifest)
			if err != nil {
				return c.fail(err)
			}
			if m, err = importing.ParseManifest(text); err != nil {
				return c.fail(err)
			}
		case command.Folder != nil && !f.noManifest:
			if m, err = importing.ReadManifest(command.Folder); errors.Is(err, os.ErrNotExist) {
				m, err = nil, nil
			}
			if err != nil {
				return c.fail(err)
			}
		}
		if m != nil {
			nodes := m.Nodes(command.Channel)
			command.Nodes = &nodes
		}
	}
	command.Files = true
	return c.withChannels(s, func(ctx context.Context, i *importing.Importer, w *console) error { return i.Run(ctx, w, command) })
}

// exportChannel copies a channel's database to a folder.
// kolibri/core/content/management/commands/exportchannel.py
func exportChannel(c *command, args []string) int {
	return c.export("exportchannel", args, importing.ExportChoice{Database: true})
}

// exportContent copies a channel's files to a folder, with a manifest.
// kolibri/core/content/management/commands/exportcontent.py
func exportContent(c *command, args []string) int {
	return c.export("exportcontent", args, importing.ExportChoice{Content: true})
}

func (c *command) export(name string, args []string, choice importing.ExportChoice) int {
	s, f, others, code := c.content(name, args, "channel_id destination")
	switch {
	case s == nil:
		return code
	case s.RemoteContent && choice.Content:
		return c.fail(errors.New("cannot export files when using remote file storage"))
	}
	id, ok := api.ParseUUID(others[0])
	if !ok {
		return c.fail(fmt.Errorf("%s is not a valid channel_id", others[0]))
	}
	folder, err := openFolder(others[1])
	if err != nil {
		return c.fail(err)
	}
	choice.Channel, choice.Selection, choice.ManifestOnly = id, f.selection(), f.manifestOnly
	return c.withChannels(s, func(ctx context.Context, i *importing.Importer, w *console) error {
		return i.Export(ctx, choice, folder, func(done, total int64) error { return w.Progress(float64(done), float64(total), nil) })
	})
}

// deleteChannel takes a channel off the device, or, as deletecontent, parts of it.
// kolibri/core/content/management/commands/deletechannel.py, deletecontent.py
func deleteChannel(c *command, args []string) int {
	s, f, others, code := c.content("deletechannel", args, "channel_id")
	if s == nil {
		return code
	}
	id, ok := api.ParseUUID(others[0])
	if !ok {
		return c.fail(fmt.Errorf("%s is not a valid channel_id", others[0]))
	}
	return c.withChannels(s, func(ctx context.Context, i *importing.Importer, w *console) error {
		return i.Delete(ctx, w, id, f.selection(), f.force)
	})
}

// listChannels prints the channels in their order.
// kolibri/core/content/management/commands/listchannels.py
func listChannels(c *command, args []string) int {
	s, _, _, code := c.content("listchannels", args, "")
	if s == nil {
		return code
	}
	return c.withChannels(s, func(_ context.Context, _ *importing.Importer, w *console) error {
		fmt.Fprintf(c.out, "%-10s%-40s%s\n%-10s%-40s%s\n", "Pos", "ID", "Name", "---", "--", "----")
		return w.Read(func(tx *store.Tx) error {
			return store.ForEach(tx, func(row store.Scanner) error {
				var order *int64
				var id, name string
				if err := row.Scan(&order, &id, &name); err != nil {
					return err
				}
				place := "None"
				if order != nil {
					place = fmt.Sprint(*order)
				}
				fmt.Fprintf(c.out, "%-10s%-40s%s\n", place, id, name)
				return nil
			}, `SELECT "order", id, name FROM content_channelmetadata ORDER BY "order", id`)
		})
	})
}
