package idb

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"

	"github.com/hack-pad/go-indexeddb/idb"

	"kolibri/store"
)

const (
	baseName    = "kolibri-files"
	baseVersion = 1
	fileStore   = "files"  // path -> {id, size, written}
	blockStore  = "blocks" // [id, number] -> Uint8Array of blockSize
)

// base is the IndexedDB database: the files' records, and their content in blocks.
type base struct{ db *idb.Database }

// record is what is kept of a file. Blocks are found by the id, so that a rename moves none.
type record struct {
	id      int
	size    int64
	written int64 // milliseconds since 1970; 0 in homes of before content was kept here
}

func openBase(ctx context.Context) (*base, error) {
	if !js.Global().Get("indexedDB").Truthy() {
		return nil, errors.New("there is no IndexedDB")
	}
	request, err := idb.Global().Open(ctx, baseName, baseVersion, func(db *idb.Database, _, _ uint) error {
		for _, name := range []string{fileStore, blockStore} {
			if _, err := db.CreateObjectStore(name, idb.ObjectStoreOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	db, err := request.Await(ctx)
	if err != nil {
		return nil, err
	}
	return &base{db}, nil
}

// records reads all files' records.
func (b *base) records(ctx context.Context) (map[string]record, error) {
	txn, err := b.db.Transaction(idb.TransactionReadOnly, fileStore)
	if err != nil {
		return nil, err
	}
	files, err := txn.ObjectStore(fileStore)
	if err != nil {
		return nil, err
	}
	cursor, err := files.OpenCursor(idb.CursorNext)
	if err != nil {
		return nil, err
	}
	all := map[string]record{}
	err = cursor.Iter(ctx, func(c *idb.CursorWithValue) error {
		key, err := c.Key()
		if err != nil {
			return err
		}
		value, err := c.Value()
		if err != nil {
			return err
		}
		r := record{id: value.Get("id").Int(), size: int64(value.Get("size").Float())}
		if at := value.Get("written"); !at.IsUndefined() {
			r.written = int64(at.Float())
		}
		all[key.String()] = r
		return nil
	})
	return all, err
}

// block reads a block into data; one that is not there reads as zeros.
func (b *base) block(ctx context.Context, id int, number int64, data []byte) error {
	txn, err := b.db.Transaction(idb.TransactionReadOnly, blockStore)
	if err != nil {
		return err
	}
	blocks, err := txn.ObjectStore(blockStore)
	if err != nil {
		return err
	}
	request, err := blocks.Get(blockKey(id, number))
	if err != nil {
		return err
	}
	value, err := request.Await(ctx)
	if err != nil {
		return err
	}
	n := 0
	if value.Truthy() {
		n = js.CopyBytesToGo(data, value)
	}
	clear(data[n:])
	return nil
}

// stores are the object stores inside a writing transaction.
type stores struct {
	files, blocks *idb.ObjectStore
	buffer        js.Value // reused: put clones its value at once
}

// write runs fn in one transaction and waits until it is kept. After an error nothing of it is.
func (b *base) write(ctx context.Context, fn func(*stores) error) error {
	txn, err := b.db.TransactionWithOptions(idb.TransactionOptions{
		Mode: idb.TransactionReadWrite, Durability: idb.DurabilityStrict,
	}, fileStore, blockStore)
	if err != nil {
		return full(err)
	}
	s := &stores{buffer: js.Global().Get("Uint8Array").New(blockSize)}
	if s.files, err = txn.ObjectStore(fileStore); err == nil {
		s.blocks, err = txn.ObjectStore(blockStore)
	}
	if err == nil {
		err = fn(s)
	}
	if err != nil {
		_ = txn.Abort()
		return full(err)
	}
	return full(txn.Await(ctx))
}

func (s *stores) putRecord(name string, r record) error {
	_, err := s.files.PutKey(js.ValueOf(name), js.ValueOf(map[string]any{"id": r.id, "size": float64(r.size), "written": float64(r.written)}))
	return err
}

func (s *stores) deleteRecord(name string) error {
	_, err := s.files.Delete(js.ValueOf(name))
	return err
}

func (s *stores) putBlock(id int, number int64, data []byte) error {
	js.CopyBytesToJS(s.buffer, data)
	_, err := s.blocks.PutKey(blockKey(id, number), s.buffer)
	return err
}

// deleteBlocks deletes a file's blocks from the given number on.
func (s *stores) deleteBlocks(id int, from int64) error {
	_, err := s.blocks.Delete(js.Global().Get("IDBKeyRange").Call("bound",
		blockKey(id, from), js.ValueOf([]any{id, js.Global().Get("Infinity")})))
	return err
}

func blockKey(id int, number int64) js.Value { return js.ValueOf([]any{id, number}) }

// full marks errors that mean that the browser's quota is used up. What a request throws at once
// comes as js.Error, what a transaction ends with as idb.DOMException.
func full(err error) error {
	const quota = "QuotaExceededError"
	var thrown js.Error
	if errors.As(err, &thrown) && thrown.Get("name").String() == quota || errors.Is(err, idb.NewDOMException(quota)) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
