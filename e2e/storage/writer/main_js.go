// Command writer is the victim of the kill test. It opens a database through the server's own
// store, checks that everything an earlier run committed is there whole, says so, and then writes
// one transaction after the other until it is killed. kill.mjs drives it.
//
// Arguments, each name=value: backend=opfs|idb; busy=1 never yields to the event loop, so that
// terminate() strikes in the middle of work; and the controls that the test must catch:
// control=journal (no journal), control=acknowledge (says "committed" before it is so),
// control=split (the statements of a transaction one by one).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall/js"
	"time"

	"kolibri/store"
)

func main() {
	options := map[string]string{}
	for _, arg := range os.Args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		options[name] = value
	}
	post(map[string]any{"failed": run(context.Background(), options).Error()})
}

// run works until something fails.
func run(ctx context.Context, options map[string]string) error {
	start := time.Now()
	db, err := open(ctx, options["backend"])
	if err != nil {
		return err
	}
	opened := time.Since(start)
	last, err := check(ctx, db)
	if err != nil {
		return err
	}
	post(map[string]any{"checked": last, "openMs": opened.Milliseconds()})
	if options["control"] == "journal" {
		if _, err := db.Pool().ExecContext(ctx, "PRAGMA journal_mode=off; PRAGMA cache_size=10"); err != nil {
			return err
		}
	}
	acknowledge := func(n int64) { post(map[string]any{"committed": n}) }
	for n := last + 1; ; n++ {
		if options["control"] == "acknowledge" {
			acknowledge(n)
		}
		if err := write(ctx, db, n, options["control"] == "split"); err != nil {
			return err
		}
		acknowledge(n)
		if options["busy"] == "" {
			time.Sleep(time.Millisecond)
		}
	}
}

func post(message map[string]any) { js.Global().Call("postMessage", message) }

const (
	rows   = 20 // rows each transaction inserts
	window = 60 // transactions whose rows are kept
)

// write runs transaction n: it inserts rows, changes some of the transaction before, deletes those
// of an old one, and notes itself.
func write(ctx context.Context, db *store.DB, n int64, split bool) error {
	type statement struct {
		text string
		args []any
	}
	var all []statement
	for i := range int64(rows) {
		all = append(all, statement{"INSERT INTO kill_item (id, turn, seq, body, touched) VALUES (?, ?, ?, ?, 0)",
			[]any{n*rows + i, n, i, body(n, i)}})
	}
	all = append(all,
		statement{"UPDATE kill_item SET touched = ? WHERE turn = ? AND seq < 5", []any{n, n - 1}},
		statement{"DELETE FROM kill_item WHERE turn = ?", []any{n - window}},
		statement{"UPDATE kill_state SET turn = ?", []any{n}},
		statement{"INSERT INTO kill_turn (n) VALUES (?)", []any{n}})
	if split {
		for _, s := range all {
			if err := db.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(s.text, s.args...)
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	}
	return db.Write(ctx, func(tx *store.Tx) error {
		for _, s := range all {
			if _, err := tx.Exec(s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// body is the text of a row, 50 to 1500 characters that follow from its place.
func body(n, i int64) string {
	seed := uint64(n)*1_000_003 + uint64(i)*7919 + 12345
	length := 50 + seed%1450
	var b strings.Builder
	for uint64(b.Len()) < length {
		seed = seed*6364136223846793005 + 1442695040888963407
		fmt.Fprintf(&b, "%016x", seed)
	}
	return b.String()[:length]
}

// check makes the tables on the first run, and later verifies that the database is intact and
// holds every transaction up to the last one whole. It returns the last one's number.
func check(ctx context.Context, db *store.DB) (int64, error) {
	var last int64
	err := db.Write(ctx, func(tx *store.Tx) error {
		there, err := store.HasTable(tx, "kill_state")
		if err != nil || there {
			return err
		}
		for _, statement := range []string{
			"CREATE TABLE kill_item (id integer PRIMARY KEY, turn integer NOT NULL, seq integer NOT NULL, body text NOT NULL, touched integer NOT NULL)",
			"CREATE INDEX kill_item_body ON kill_item (body)", "CREATE INDEX kill_item_turn ON kill_item (turn, seq)",
			"CREATE TABLE kill_turn (n integer PRIMARY KEY)", "CREATE TABLE kill_state (turn integer NOT NULL)",
			"INSERT INTO kill_state VALUES (0)",
		} {
			if _, err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	err = db.Read(ctx, func(tx *store.Tx) error {
		verdict, err := tx.Strings("PRAGMA integrity_check")
		if err != nil {
			return err
		}
		if len(verdict) != 1 || verdict[0] != "ok" {
			return fmt.Errorf("damaged: %s", strings.Join(verdict, "; "))
		}
		if last, err = tx.Int("SELECT turn FROM kill_state"); err != nil {
			return err
		}
		return errors.Join(checkTurns(tx, last), checkItems(tx, last))
	})
	return last, err
}

func checkTurns(tx *store.Tx, last int64) error {
	count, err := tx.Int("SELECT count(*) FROM kill_turn")
	if err != nil {
		return err
	}
	highest, err := tx.Int("SELECT coalesce(max(n), 0) FROM kill_turn")
	if err != nil {
		return err
	}
	if count != last || highest != last {
		return fmt.Errorf("partial: the state says %d, but %d transactions up to %d are noted", last, count, highest)
	}
	return nil
}

func checkItems(tx *store.Tx, last int64) error {
	n, i := max(last-window+1, 1), int64(0)
	err := store.ForEach(tx, func(row store.Scanner) error {
		var turn, seq, touched int64
		var text string
		if err := row.Scan(&turn, &seq, &text, &touched); err != nil {
			return err
		}
		var want int64
		if i < 5 && n < last {
			want = n + 1
		}
		if turn != n || seq != i || text != body(n, i) || touched != want {
			return fmt.Errorf("partial: row %d of transaction %d (last %d) is row %d of %d, touched by %d", i, n, last, seq, turn, touched)
		}
		if i++; i == rows {
			n, i = n+1, 0
		}
		return nil
	}, "SELECT turn, seq, body, touched FROM kill_item ORDER BY turn, seq")
	if err == nil && (n != last+1 || i != 0) {
		err = fmt.Errorf("partial: the rows end at row %d of transaction %d instead of %d", i, n, last)
	}
	return err
}
