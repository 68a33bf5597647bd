package importing

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"kolibri/core/api"
	"kolibri/core/content"
	"kolibri/core/content/storage"
	"kolibri/core/device"
	"kolibri/core/tasks"
	"kolibri/store"
)

// Importer does the tasks of channels.
type Importer struct {
	host   *api.Host
	store  *storage.Store
	drives device.DriveLister
	// together lets one import or deletion work at a time: two of the same channel would spoil each
	// other's counts.
	together sync.Mutex
	cache    statsCache
}

// New makes the importer of a content folder.
func New(host *api.Host, store *storage.Store, drives device.DriveLister) *Importer {
	return &Importer{host: host, store: store, drives: drives}
}

// atOnce is how many files are on their way at the same time: each costs a round trip, and then the disk. A
// browser sends six requests to a host at once, and puts others down meanwhile.
const atOnce = 9

// How many files are marked, and resources counted, in one transaction.
const (
	filesAtOnce = 500
	nodesAtOnce = 400
)

// contentPerDatabase is the factor by which the size of content is guessed from the database's, before
// it is known: too much, so that progress speeds up rather than goes back
// (resource_import.py: CONTENT_SIZE_ESTIMATE_MULTIPLIER).
const contentPerDatabase = 10000

// Worker is what an import reports to and works through: a task, or a program on the command line.
type Worker interface {
	// Progress tells how much is done of how much; an error ends the work.
	Progress(done, total float64, metadata map[string]any) error
	// Metadata tells what is known by now, by the names that tasks show.
	Metadata(map[string]any) error
	Read(func(*store.Tx) error) error
	Write(func(*store.Tx) error) error
}

// job is one import at work.
type job struct {
	*Importer
	task    Worker
	channel string
	from    Source
	choice  choice
	origin  origin
	// the parts of the work
	database, files, update, failOnError bool
	versionRequested                     bool
	byLearner                            bool // nobody who manages content asked for it
	stayAway                             bool // the files are opened where they are and not copied

	done, total     atomic.Int64
	databaseBytes   int64
	transferred     int64
	before, skipped int64
}

// run imports the channel's database, then the files, then counts.
// kolibri/core/content/utils/resource_import.py: ResourceImportManagerBase.run
func (j *job) run(ctx context.Context) error {
	j.together.Lock()
	defer j.together.Unlock()
	if j.database {
		if err := j.importDatabase(ctx); err != nil {
			return err
		}
		if err := j.task.Metadata(map[string]any{"database_ready": true}); err != nil {
			return err
		}
	}
	defer j.cache.forget(j.channel)
	resources, files, err := j.prepare(ctx)
	if err != nil {
		return err
	}
	bytes := total(files)
	annotation := bytes / 99 // annotation counts as the last hundredth
	j.total.Store(bytes + annotation + j.databaseBytes)
	if err := j.task.Metadata(map[string]any{"file_size": bytes, "total_resources": resources}); err != nil {
		return err
	}
	if err := j.report(); err != nil {
		return err
	}
	fetched, failure := j.fetch(ctx, files)
	// what arrived is kept and shown, however the transfer ended
	after, err := j.annotate(context.WithoutCancel(ctx), fetched)
	if err != nil {
		return err
	}
	if failure != nil {
		return failure
	}
	j.done.Add(annotation)
	if j.update {
		j.cache.setUpdate(j.channel, nil)
	}
	if err := j.report(); err != nil {
		return err
	}
	return j.task.Metadata(map[string]any{"transferred_file_size": j.transferred, "transferred_resources": after - j.before})
}

func (j *job) report() error {
	return j.task.Progress(float64(j.done.Load()), float64(max(j.total.Load(), 1)), nil)
}

// importDatabase brings the channel's database and takes its metadata in; what was available before
// is made so again.
func (j *job) importDatabase(ctx context.Context) error {
	size, err := j.from.DatabaseSize(ctx)
	if err != nil {
		return explain(err)
	}
	j.databaseBytes = size
	j.total.Store(size * (contentPerDatabase + 1))
	name := storage.DatabaseName(j.channel)
	if here, err := j.isHere(name); here || err != nil {
		return err
	}
	if _, err := j.store.Size(storage.UpgradeName(j.channel)); err == nil {
		err = j.store.Copy(ctx, j.store.FS, storage.UpgradeName(j.channel), name, "", nil)
		if err == nil {
			err = j.store.Remove(storage.UpgradeName(j.channel))
		}
		if err != nil {
			return err
		}
		j.done.Add(size)
	} else if err := j.from.Database(ctx, name, func(n int64) { j.done.Add(n) }); err != nil {
		return explain(err)
	}
	if err := j.report(); err != nil {
		return errors.Join(err, j.store.Remove(name))
	}
	had, wanted, err := j.resourcesBefore()
	if err != nil {
		return err
	}
	err = j.takeIn(ctx, name, func(tx *store.Tx, e *Edition) error {
		if !j.update || j.cache.update(j.channel) != nil {
			return nil
		}
		// nobody looked at the changes, or a restart forgot them
		changes, err := compare(tx, e, j.host.Pages.Presets())
		if err == nil {
			j.cache.setUpdate(j.channel, changes)
		}
		return err
	}, func(tx *store.Tx) error {
		if len(had) == 0 {
			return content.Touch(tx)
		}
		if err := Annotate(tx, j.channel, Selection{Nodes: &had}, false); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE content_contentnode SET admin_imported = TRUE WHERE id IN ?", store.In(wanted))
		return err
	})
	if err != nil {
		return errors.Join(shape(err), j.forgetDatabase(ctx))
	}
	return nil
}

// isHere tells whether the edition that the source lists is the one that is here already, whole.
func (j *job) isHere(name string) (is bool, err error) {
	l := j.from.Listing()
	if l == nil || l.Version == nil || j.versionRequested {
		return false, nil
	}
	if _, err := j.store.Size(name); err != nil {
		return false, nil
	}
	err = j.task.Read(func(tx *store.Tx) error {
		p, err := installed(tx, j.channel)
		is = p != nil && !p.partial && p.version == *l.Version
		return err
	})
	return is, err
}

// forgetDatabase removes the file of a channel that the library does not have.
func (j *job) forgetDatabase(ctx context.Context) error {
	known := false
	err := j.host.DB.Read(context.WithoutCancel(ctx), func(tx *store.Tx) (err error) {
		known, err = tx.Exists("SELECT 1 FROM content_channelmetadata WHERE id = ?", j.channel)
		return err
	})
	if err != nil || known {
		return err
	}
	return j.store.Remove(storage.DatabaseName(j.channel))
}

// resourcesBefore lists the available resources of the channel, and those an administrator wanted.
func (j *job) resourcesBefore() (all, wanted []string, err error) {
	err = j.task.Read(func(tx *store.Tx) error {
		const query = "SELECT id FROM content_contentnode WHERE channel_id = ? AND available = TRUE AND kind <> 'topic'"
		if all, err = tx.Strings(query, j.channel); err != nil {
			return err
		}
		wanted, err = tx.Strings(query+" AND admin_imported = TRUE", j.channel)
		return err
	})
	return all, wanted, err
}

// prepare finds what to fetch and makes sure that there is room for it.
func (j *job) prepare(ctx context.Context) (resources int64, files []file, err error) {
	if j.files {
		j.choice.limit, err = j.limit(ctx, j.channel, j.origin)
		if errors.Is(err, errLocation) {
			return 0, nil, tasks.Fail("LocationError", err.Error())
		}
		if err != nil {
			return 0, nil, err
		}
	}
	err = j.task.Write(func(tx *store.Tx) error { // temporary tables are written
		known, err := tx.Exists("SELECT 1 FROM content_channelmetadata WHERE id = ?", j.channel)
		if err != nil {
			return err
		}
		if !known {
			return tasks.Fail("ChannelMetadata.DoesNotExist", "the channel's metadata is not on this device yet: import the channel first")
		}
		if j.files {
			if j.update {
				resources, files, err = j.cache.update(j.channel).choose(tx, j.channel, j.host.Pages.Presets(), j.choice)
			} else {
				resources, files, err = choose(tx, j.channel, j.host.Pages.Presets(), j.choice)
			}
			if err != nil {
				return err
			}
		}
		j.before, err = countResources(tx, j.channel)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	if j.stayAway {
		return resources, files, nil
	}
	if j.choice.missing {
		if files, err = j.lacking(files); err != nil {
			return 0, nil, err
		}
	}
	free, err := j.host.Device.FreeSpace(context.Background())
	if err == nil && free <= total(files) {
		err = tasks.Fail("InsufficientStorageSpaceError", "Import would completely fill remaining disk space")
	}
	return resources, files, err
}

// fetch brings the files, several at once, and returns the checksums of those that are here. A file
// that the source lacks is passed over unless the task says otherwise.
func (j *job) fetch(ctx context.Context, files []file) (here []string, failure error) {
	if j.stayAway {
		for _, f := range files {
			here = append(here, f.checksum)
		}
		j.transferred = total(files)
		return here, nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var mu sync.Mutex
	queue := make(chan file)
	var workers sync.WaitGroup
	for range min(atOnce, len(files)) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for f := range queue {
				err := j.one(ctx, f)
				mu.Lock()
				switch {
				case err == nil:
					here = append(here, f.checksum)
					j.transferred += f.size
				case errors.Is(err, storage.ErrMissing) && !j.failOnError:
					j.skipped++
				case ctx.Err() == nil:
					stop(explain(err))
				}
				mu.Unlock()
			}
		}()
	}
	for _, f := range files {
		if err := j.report(); err != nil {
			stop(err)
		}
		select {
		case queue <- f:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	workers.Wait()
	if ctx.Err() != nil {
		failure = context.Cause(ctx)
	}
	if j.skipped > 0 {
		j.host.Log.Warn("the source lacks files of the channel", "channel", j.channel, "files", j.skipped)
	}
	return here, failure
}

// one brings a file, unless it is here already; trouble on the way is met by trying again.
func (j *job) one(ctx context.Context, f file) error {
	name, err := storage.FileName(f.checksum, f.extension)
	if err != nil {
		j.host.Log.Warn("a file of the channel has no valid name", "channel", j.channel, "error", err)
		return storage.ErrMissing
	}
	if size, err := j.store.Size(name); err == nil && size == f.size {
		j.done.Add(f.size)
		return nil
	}
	counted := int64(0)
	for attempt := 0; ; attempt++ {
		err = j.from.File(ctx, name, f.checksum, func(n int64) { counted += n; j.done.Add(n) })
		if err == nil {
			j.done.Add(f.size - counted)
			return nil
		}
		if ctx.Err() != nil || attempt == 3 || !passing(err) {
			return err
		}
		select {
		case <-time.After(time.Duration(1<<attempt) * 500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// passing tells whether an error may go away by itself: a broken connection, a server out of breath,
// a file damaged on the way.
func passing(err error) bool {
	var status *storage.StatusError
	if errors.As(err, &status) {
		return status.Status >= 500 || status.Status == 429
	}
	return !errors.Is(err, storage.ErrMissing) && !errors.Is(err, store.ErrFull)
}

// annotate makes the resources available whose files arrived, and counts them. On SQLite the resources of
// a whole channel come in several transactions, with room for others between them, and its topics in the last.
func (j *job) annotate(ctx context.Context, here []string) (after int64, err error) {
	count := func(tx *store.Tx) (err error) {
		after, err = countResources(tx, j.channel)
		return err
	}
	if !j.files {
		err = j.host.DB.Read(ctx, count)
		return after, err
	}
	for chunk := range slices.Chunk(here, filesAtOnce) {
		if err := j.host.DB.Write(ctx, func(tx *store.Tx) error { return markFiles(tx, true, chunk) }); err != nil {
			return 0, err
		}
		time.Sleep(time.Millisecond) // in a browser's worker nobody else comes in between otherwise
	}
	inParts := j.choice.Selection.all() && j.host.DB.Dialect() == store.SQLite
	for place, more := int64(math.MinInt64), inParts; more; {
		if err := j.host.DB.Write(ctx, func(tx *store.Tx) (err error) {
			var end int64
			if end, more, err = nextPlace(tx, nodesAtOnce, "content_contentnode", "channel_id = ?", place, j.channel); err != nil || !more {
				return err
			}
			err = annotateResources(tx, !j.byLearner, "channel_id = ? AND rowid > ? AND rowid <= ?", j.channel, place, end)
			place = end
			return err
		}); err != nil {
			return 0, err
		}
		time.Sleep(time.Millisecond)
	}
	err = j.host.DB.Write(ctx, func(tx *store.Tx) error {
		if inParts {
			err = annotateTree(tx, j.channel)
		} else {
			err = Annotate(tx, j.channel, j.choice.Selection, !j.byLearner)
		}
		if err != nil {
			return err
		}
		if l := j.from.Listing(); l != nil && l.Public != nil {
			if _, err := tx.Exec("UPDATE content_channelmetadata SET public = ? WHERE id = ?", *l.Public, j.channel); err != nil {
				return err
			}
		}
		return count(tx)
	})
	return after, err
}

// explain says what a failed transfer means to the person who asked for it.
func explain(err error) error {
	var status *storage.StatusError
	switch {
	case errors.Is(err, storage.ErrMissing):
		return tasks.Fail("HTTPError", "the source does not have this channel's files (404)")
	case errors.As(err, &status):
		return tasks.Fail("HTTPError", fmt.Sprintf("the source answered with status %d", status.Status))
	case errors.Is(err, storage.ErrSilent):
		return tasks.Fail("TransferFailed", err.Error()+"; try again when it answers")
	case errors.Is(err, storage.ErrDamaged):
		return tasks.Fail("TransferFailed", err.Error()+"; try again, or use another source")
	}
	return err
}

// shape names the failures of a channel database as the original does.
func shape(err error) error {
	switch {
	case errors.Is(err, ErrNewerSchema):
		return tasks.Fail("FutureSchemaError", err.Error())
	case errors.Is(err, ErrNotAChannel), errors.Is(err, store.ErrCorrupt):
		return tasks.Fail("InvalidSchemaVersionError", err.Error())
	}
	return err
}
