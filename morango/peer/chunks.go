package peer

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kolibri/morango/session"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// Chunks begin with defaultChunk records, double while one takes less than briskly, and halve when one
// takes longer than slowly or is too much for the other device.
const (
	defaultChunk = 500
	leastChunk   = 10
	mostChunk    = 4000
	briskly      = 500 * time.Millisecond
	slowly       = 5 * time.Second
)

// pace is the size of the next chunk.
type pace struct{ size int64 }

func (o *one) pace() *pace {
	if o.Options.ChunkSize > 0 {
		return &pace{min(o.Options.ChunkSize, mostChunk)}
	}
	return &pace{defaultChunk}
}

// took learns from how long a chunk took.
func (p *pace) took(d time.Duration) {
	switch {
	case d < briskly:
		p.size = min(2*p.size, mostChunk)
	case d > slowly:
		p.size = max(p.size/2, leastChunk)
	}
}

// shrink makes the next chunk smaller after one that failed, and tells whether that was possible.
func (p *pace) shrink(err error) bool {
	if p.size <= leastChunk || StatusOf(err) != http.StatusRequestEntityTooLarge {
		return false
	}
	p.size = max(p.size/4, leastChunk)
	return true
}

// page is a page of records.
type page struct {
	records []transfer.Buffer
	err     error
	took    time.Duration
}

// fetch pulls records chunk by chunk: while one is stored, the next is on its way.
func (o *one) fetch(ctx context.Context) error {
	if *o.t.Total == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := o.pace()
	next := o.ask(ctx, o.t.Transferred, p.size)
	for o.t.Transferred < *o.t.Total {
		got := <-next
		if got.err != nil {
			if !p.shrink(got.err) {
				return o.refused(ctx, transfer.Transferring, got.err)
			}
			next = o.ask(ctx, o.t.Transferred, p.size)
			continue
		}
		p.took(got.took)
		after := o.t.Transferred + int64(len(got.records))
		if len(got.records) > 0 && after < *o.t.Total {
			next = o.ask(ctx, after, p.size)
		}
		if err := o.keep(ctx, got.records); err != nil {
			return err
		}
		if err := o.report(transfer.Transferring); err != nil {
			return err
		}
	}
	return o.proceed(ctx, transfer.Transferring, map[string]any{"records_transferred": o.t.Transferred,
		// what one side sent the other received
		"bytes_received": o.Connection.Sent(), "bytes_sent": o.Connection.Received()})
}

// ask begins to fetch a page.
func (o *one) ask(ctx context.Context, offset, limit int64) <-chan page {
	done := make(chan page, 1)
	go func() {
		var records []transfer.Buffer
		begun := time.Now()
		err := o.Connection.call(ctx, request{method: http.MethodGet, path: routes + "buffers/", query: url.Values{
			"transfer_session_id": {o.t.ID}, "limit": {strconv.FormatInt(limit, 10)}, "offset": {strconv.FormatInt(offset, 10)},
		}, read: func(text []byte) (err error) { records, err = transfer.DecodePage(text); return err }})
		done <- page{records, err, time.Since(begun)}
	}()
	return done
}

// keep stores received records with their number, so that nothing is counted twice.
func (o *one) keep(ctx context.Context, records []transfer.Buffer) error {
	tried := *o.t
	tried.Stage, tried.Status = transfer.Transferring, session.Pending
	tried.BytesSent, tried.BytesReceived = o.Connection.Sent(), o.Connection.Received()
	err := o.controller.DB.Write(ctx, func(tx *store.Tx) error {
		s := transfer.Session{ID: o.t.ID, Filter: o.t.Filter, V2: o.in.V2, ClientFSIC: o.t.ClientFSIC, ServerFSIC: o.t.ServerFSIC}
		added, err := transfer.Receive(tx, &s, records)
		if err != nil {
			return err
		}
		if added != int64(len(records)) || added == 0 || tried.Transferred+added > *tried.Total {
			return fmt.Errorf("%w: the other device announced %d, and sends none or the same ones again after %d", session.ErrTotals, *tried.Total, tried.Transferred)
		}
		tried.Transferred += added
		return tried.Save(tx)
	})
	if err == nil {
		*o.t = tried
	}
	return err
}

// send pushes records chunk by chunk: while one is on its way, the next is read and packed.
func (o *one) send(ctx context.Context) error {
	if o.t.Total == nil || *o.t.Total == 0 {
		return nil
	}
	p := o.pace()
	var way <-chan page // the chunk on its way
	sent := o.t.Transferred
	for {
		var packed []byte
		var records []transfer.Buffer
		if sent < *o.t.Total {
			err := o.controller.DB.Read(ctx, func(tx *store.Tx) (err error) {
				records, err = transfer.Buffers(tx, o.t.ID, sent, p.size)
				return err
			})
			if err != nil {
				return err
			}
			if len(records) == 0 {
				return fmt.Errorf("%w: %d of %d are left", session.ErrTotals, sent, *o.t.Total)
			}
			if packed, err = o.pack(records); err != nil {
				return err
			}
		}
		if way != nil {
			got := <-way
			if got.err != nil {
				if !p.shrink(got.err) {
					return o.refused(ctx, transfer.Transferring, got.err)
				}
				sent, way = o.t.Transferred, nil
				continue
			}
			p.took(got.took)
			o.t.Transferred += int64(len(got.records))
			o.t.Stage, o.t.Status = transfer.Transferring, session.Pending
			if err := o.save(ctx); err != nil {
				return err
			}
			if err := o.report(transfer.Transferring); err != nil {
				return err
			}
		}
		if records == nil {
			return nil
		}
		way = o.post(ctx, records, packed)
		sent += int64(len(records))
	}
}

func (o *one) pack(records []transfer.Buffer) ([]byte, error) {
	text := transfer.AppendBuffers(nil, records)
	if !o.Connection.Has(session.GzipBuffer) {
		return text, nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// post begins to send a chunk.
func (o *one) post(ctx context.Context, records []transfer.Buffer, packed []byte) <-chan page {
	done := make(chan page, 1)
	kind := "application/json"
	if o.Connection.Has(session.GzipBuffer) {
		kind = "application/gzip"
	}
	go func() {
		begun := time.Now()
		err := o.Connection.call(ctx, request{method: http.MethodPost, path: routes + "buffers/", raw: packed, kind: kind, limit: stageTime})
		done <- page{records, err, time.Since(begun)}
	}()
	return done
}
