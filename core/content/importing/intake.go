package importing

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"kolibri/core/content"
	"kolibri/store"
)

// In the tab everybody shares one connection, and natively all writers one lock: an import works in
// transactions of about stepTime, with room for others between them.
const (
	stepTime   = 40 * time.Millisecond
	rowsAtOnce = 200
)

// intake takes an edition in. A channel that is new is copied in several transactions: before the last
// one there is no such channel, and its nodes are not available. If the program dies in between, the
// next import of the channel removes what is left. A channel that is there already is replaced in one
// transaction, so that it is always one edition or the other.
type intake struct {
	options Options
	// untilNow, if set, tells that a transaction has lasted long enough.
	untilNow func() bool
	rows     int // copied at once, where it is set

	begun    bool // the edition is wanted
	was      *present
	tree     int64
	table    int   // tables before this one are copied
	last     int64 // the last row of it that is
	level    int64 // nodes above this level know their ancestors
	depth    int64
	leveled  int64 // as last, of the level's nodes
	finished bool
}

// takeIn is Open for an intake, in as many transactions as it needs. before is called in the first one,
// after in the last one, unless the edition is not wanted.
func (j *job) takeIn(ctx context.Context, name string, before func(*store.Tx, *Edition) error, after func(*store.Tx) error) error {
	in := &intake{options: Options{VersionRequested: j.versionRequested}, rows: rowsAtOnce}
	first := true
	err := OpenInSteps(ctx, j.host.DB, j.store, name, j.channel, func(tx *store.Tx, e *Edition, stepwise bool) error {
		if first {
			if err := before(tx, e); err != nil {
				return err
			}
			first = false
		}
		if stepwise {
			end := time.Now().Add(stepTime)
			in.untilNow = func() bool { return time.Now().After(end) }
		}
		if err := in.step(tx, e); err != nil || !in.finished || !in.begun {
			return err
		}
		return after(tx)
	}, func() (bool, error) {
		if in.finished {
			return true, nil
		}
		return false, j.report() // which gives way to others, and ends a cancelled job
	})
	if err != nil {
		return errors.Join(err, j.forgetNodes(ctx, in))
	}
	return nil
}

// forgetNodes removes what an intake that did not come to its end has copied of a new channel.
func (j *job) forgetNodes(ctx context.Context, in *intake) error {
	if !in.begun || in.was != nil {
		return nil
	}
	return j.host.DB.Write(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		p, err := installed(tx, j.channel)
		if err != nil || p != nil {
			return err
		}
		return deleteTree(tx, j.channel, j.channel)
	})
}

// step works until there is nothing to do or it is time to let others in.
func (in *intake) step(tx *store.Tx, e *Edition) error {
	if !in.begun {
		if err := in.begin(tx, e.Meta); err != nil || in.finished {
			return err
		}
	}
	if in.untilNow == nil || in.was != nil {
		in.finished = true
		return in.whole(tx, e)
	}
	for !in.finished {
		if err := in.some(tx, e); err != nil {
			return err
		}
		if in.untilNow() {
			return nil
		}
	}
	return nil
}

// begin decides whether the edition is wanted and makes room for it.
// kolibri/core/content/utils/channel_import.py: check_and_delete_existing_channel
func (in *intake) begin(tx *store.Tx, meta Meta) (err error) {
	if in.was, err = installed(tx, meta.ID); err != nil {
		return err
	}
	o := in.options
	switch {
	case in.was == nil:
		if err := deleteTree(tx, meta.ID, meta.ID); err != nil { // what a dead import has left
			return err
		}
	case o.Partial:
		if in.was.version != meta.Version || !in.was.partial {
			in.finished = true // all of it is here, or another edition
			return nil
		}
	case in.was.version >= meta.Version && !in.was.partial && !(o.VersionRequested && in.was.version > meta.Version):
		in.finished = true
		return nil
	default:
		if err := deleteTree(tx, meta.ID, in.was.root); err != nil {
			return err
		}
	}
	in.begun, in.last, in.leveled, in.level = true, math.MinInt64, math.MinInt64, 1
	if in.tree, err = freeTree(tx); err != nil {
		return err
	}
	if in.was != nil && o.Partial {
		if err := tx.QueryRow("SELECT tree_id FROM content_contentnode WHERE channel_id = ? LIMIT 1", meta.ID).Scan(&in.tree); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// whole copies every table by one statement.
func (in *intake) whole(tx *store.Tx, e *Edition) error {
	for _, t := range tables {
		if err := e.copy(tx, t, in.tree, nil); err != nil {
			return unusable("copy "+t.name, err)
		}
	}
	if err := finish(tx, e.Meta, in.was, in.options.Partial); err != nil {
		return err
	}
	if err := annotateNodes(tx, e.Meta); err != nil || in.was == nil || in.options.Partial {
		return err
	}
	return renewCourses(tx, e.Meta)
}

// some does a little of what is left.
func (in *intake) some(tx *store.Tx, e *Edition) error {
	t := tables[in.table]
	switch {
	case t.name != "content_channelmetadata":
		if err := in.copySome(tx, e, t); err != nil {
			return unusable("copy "+t.name, err)
		}
		return nil
	case in.level <= in.depth:
		return in.ancestorsOfSome(tx, e.Meta.ID)
	}
	in.finished = true
	if err := e.copy(tx, t, in.tree, nil); err != nil {
		return unusable("copy "+t.name, err)
	}
	return finish(tx, e.Meta, in.was, in.options.Partial)
}

// copySome copies the next rows of a table; nodes get what they are found by at once.
func (in *intake) copySome(tx *store.Tx, e *Edition, t tableSpec) error {
	if e.has[t.name] == nil { // made of other tables, or of nothing
		in.table++
		return e.copy(tx, t, in.tree, nil)
	}
	end, more, err := nextPlace(tx, in.rows, e.prefix+t.name, "1 = 1", in.last)
	if err != nil {
		return err
	}
	if !more {
		in.table, in.last = in.table+1, math.MinInt64
		if t.name == "content_contentnode" {
			in.depth, err = beginAncestors(tx, e.Meta.ID)
		}
		return err
	}
	before, err := tx.Int("SELECT coalesce(max(rowid), 0) FROM main." + t.name)
	if err != nil {
		return err
	}
	if err := e.copy(tx, t, in.tree, &stretch{in.last, end}); err != nil {
		return err
	}
	in.last = end
	if t.name != "content_contentnode" {
		return nil
	}
	if e.Meta.old() {
		if err := activitiesByKind(tx, e.Meta.ID, before); err != nil {
			return err
		}
	}
	return content.Annotate(tx, e.Meta.ID, before)
}

// ancestorsOfSome writes the ancestors of the next nodes of a level.
func (in *intake) ancestorsOfSome(tx *store.Tx, channel string) error {
	end, more, err := nextPlace(tx, in.rows, "content_contentnode", "channel_id = ?", in.leveled, channel)
	if err != nil {
		return err
	}
	if !more {
		in.level, in.leveled = in.level+1, math.MinInt64
		return nil
	}
	// the plus keeps SQLite from the index of levels, which does not know where the stretch lies
	err = ancestorsOf(tx, "channel_id = ? AND +level = ? AND rowid > ? AND rowid <= ?", channel, in.level, in.leveled, end)
	in.leveled = end
	return err
}

// stretch are the rows behind one place of a SQLite table up to another.
type stretch struct{ after, upTo int64 }

// nextPlace is where the next rows of a SQLite table behind a place end; more is false where none are left.
func nextPlace(tx *store.Tx, rows int, table, where string, after int64, args ...any) (end int64, more bool, err error) {
	var n sql.NullInt64
	err = tx.QueryRow("SELECT max(r) FROM (SELECT rowid AS r FROM "+table+" WHERE "+where+" AND rowid > ? ORDER BY rowid LIMIT ?)",
		append(args, after, rows)...).Scan(&n)
	return n.Int64, n.Valid, err
}
