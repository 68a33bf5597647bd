package transfer

import (
	"errors"
	"io"

	"kolibri/store"
)

var errUnfinished = errors.New("morango: not built yet")

// Serialize brings the apps' changed rows in the filter into the store, and all deletions. The
// instance's counter rises even when nothing has changed. Call it again while More is true.
func Serialize(tx *store.Tx, filter Filter, o Options) (Result, error) { return Result{}, errUnfinished }

// Queue copies what the receiver lacks into the session's buffers and returns how many records they
// are. It replaces what an interrupted attempt left. ErrFSIC is wrapped by what the other side is to
// blame for.
func Queue(tx *store.Tx, s *Session) (int64, error) { return 0, errUnfinished }

// Buffers reads records of a session in a fixed order, offset counting from the first.
func Buffers(tx *store.Tx, session string, offset, limit int64) ([]Buffer, error) { return nil, errUnfinished }

// CountBuffers is how many records a session holds.
func CountBuffers(tx *store.Tx, session string) (int64, error) { return 0, errUnfinished }

// DecodeBuffers reads a list of records as another device sent it (one object stands for a list of
// one). Errors wrap ErrBuffer.
func DecodeBuffers(r io.Reader) ([]Buffer, error) { return nil, errUnfinished }

// ErrBuffer is wrapped by the errors about records that another device sent.
var ErrBuffer = errors.New("morango: malformed record")

// Receive checks records that another device sent and puts them into the session's buffers, in place
// of earlier copies. It returns how many records are new, by which records_transferred rises.
func Receive(tx *store.Tx, s *Session, records []Buffer) (added int64, err error) {
	return 0, errUnfinished
}

// Dequeue merges the session's buffers into the store and notes the counters that the producer
// promised. Call it only when records were transferred, as the original does.
func Dequeue(tx *store.Tx, s *Session) (Result, error) { return Result{}, errUnfinished }

// Deserialize brings the store's changed records in the filter into the apps' tables, those of every
// model behind those it may refer to. Call it again while More is true. What fails stays dirty, with
// the reason in its store row, and is tried again the next time.
func Deserialize(tx *store.Tx, filter Filter, o Options) (Result, error) { return Result{}, errUnfinished }

// DeleteBuffers forgets a session's buffers.
func DeleteBuffers(tx *store.Tx, session string) error { return errUnfinished }

// CleanUp closes old transfer sessions and forgets their buffers, then closes the sync sessions that
// have none left. It returns how many of both were closed.
// morango/management/commands/cleanupsyncs.py
func CleanUp(tx *store.Tx, e Expiry) (transfers, syncs int64, err error) { return 0, 0, errUnfinished }
