package views

import (
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/morango/session"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// buffers gives the client of a pull its records, page by page where it names a limit.
// rest_framework/pagination.py: LimitOffsetPagination
func (v *Views) buffers(r *api.Request) (any, error) {
	q := r.Query()
	given := q.Get("transfer_session_id")
	t, err := session.LoadTransfer(r.Tx, known(given))
	if given == "" || errors.Is(err, store.ErrNotFound) || err == nil && (!t.Active || t.Push) {
		return nil, r.Forbidden()
	}
	if err != nil {
		return nil, err
	}
	total, err := transfer.CountBuffers(r.Tx, t.ID)
	if err != nil {
		return nil, err
	}
	limit, offset := number(q["limit"]), number(q["offset"])
	if limit <= 0 {
		records, err := transfer.Buffers(r.Tx, t.ID, 0, total)
		return wire(nil, records, ""), err
	}
	var records []transfer.Buffer
	if offset = max(offset, 0); offset < total {
		if records, err = transfer.Buffers(r.Tx, t.ID, offset, min(limit, total)); err != nil {
			return nil, err
		}
	}
	page := struct {
		Count    int64   `json:"count"`
		Next     *string `json:"next"`
		Previous *string `json:"previous"`
	}{Count: total}
	if offset < total-limit {
		page.Next = v.pageAddress(r, q, limit, offset+limit)
	}
	if offset > 0 {
		page.Previous = v.pageAddress(r, q, limit, offset-limit)
	}
	head, err := api.JSON(page)
	return wire(append(head[:len(head)-1], `,"results":`...), records, "}"), err
}

// number reads the last value of a parameter; what is no number gives -1, and what is too large the largest.
func number(values []string) int64 {
	if len(values) == 0 {
		return -1
	}
	n, err := strconv.ParseInt(strings.TrimSpace(values[len(values)-1]), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return -1
	}
	return n
}

// wire is an answer with records in it.
func wire(before []byte, records []transfer.Buffer, after string) *api.Response {
	body := append(transfer.AppendBuffers(before, records), after...)
	return (&api.Response{Status: http.StatusOK, Raw: body}).WithHeader("Content-Type", "application/json")
}

// pageAddress is the address of another page; the parameters stand in the order of their names, as with
// the original.
func (v *Views) pageAddress(r *api.Request, q url.Values, limit, offset int64) *string {
	q = maps.Clone(q)
	q.Set("limit", strconv.FormatInt(limit, 10))
	q.Del("offset")
	if offset > 0 {
		q.Set("offset", strconv.FormatInt(offset, 10))
	}
	address := r.BaseURL() + r.HTTP.URL.Path + "?" + q.Encode()
	return &address
}

// maxRecords is how many bytes of records one request may hold once they are unpacked.
const maxRecords = 128 << 20

// receive takes records that the client pushes. morango/api/viewsets.py: BufferViewSet.create
func (v *Views) receive(r *api.Request) (any, error) {
	records, err := readRecords(r)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, refuse(http.StatusBadRequest, "There are no records.")
	}
	sessionID := records[0].TransferSession
	var t *session.Transfer
	err = v.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		t, err = session.LoadTransfer(tx, known(sessionID))
		if errors.Is(err, store.ErrNotFound) || err == nil && !t.Active {
			// the original answers 500 where there is none, and takes records for a closed one
			return refuse(http.StatusForbidden, "Specified TransferSession does not exist or is no longer active.")
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !t.Push:
		return nil, refuse(http.StatusForbidden, "Specified TransferSession does not allow pushes.")
	case slices.ContainsFunc(records, func(b transfer.Buffer) bool { return b.TransferSession != sessionID }):
		return nil, refuse(http.StatusForbidden, "All pushed records must be associated with the same TransferSession.")
	}
	t, err = v.controller.Proceed(r.Ctx, t.ID, transfer.Transferring, session.Input{V2: slices.Contains(common(r), session.FSICV2), ClientFSIC: t.ClientFSIC, Records: records})
	if err != nil {
		return nil, blame(err)
	}
	if t.Status == session.Errored {
		return nil, refuse(http.StatusConflict, "This transfer session failed earlier. Begin a new sync session.")
	}
	return &api.Response{Status: http.StatusCreated, Raw: []byte{}}, nil
}

// readRecords reads the body, which may be packed.
func readRecords(r *api.Request) ([]transfer.Buffer, error) {
	body := io.Reader(io.LimitReader(r.HTTP.Body, api.MaxBody+1))
	kind, _, _ := mime.ParseMediaType(r.HTTP.Header.Get("Content-Type"))
	switch kind {
	case "application/gzip":
		unpacked, err := gzip.NewReader(body)
		if err != nil {
			return nil, unreadable(err)
		}
		body = unpacked
	case "application/json", "":
	default:
		return nil, api.Detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+r.HTTP.Header.Get("Content-Type")+`" in request.`)
	}
	limited := &io.LimitedReader{R: body, N: maxRecords}
	records, err := transfer.DecodeBuffers(limited)
	if err != nil && limited.N <= 0 {
		return nil, api.Detail(http.StatusRequestEntityTooLarge, "The request is too large.")
	}
	if err != nil {
		return nil, unreadable(err)
	}
	return records, nil
}

func unreadable(err error) error {
	return &api.Error{Status: http.StatusBadRequest, Body: []string{reason(err)}, Cause: err}
}

// reason is an error's text without the names of our packages.
func reason(err error) string {
	if errors.Is(err, transfer.ErrIdentity) {
		return "Does not match results of calling ModelBase.compute_namespaced_id"
	}
	for _, prefix := range []error{transfer.ErrBuffer, transfer.ErrFSIC, session.ErrTotals} {
		if text, ok := strings.CutPrefix(err.Error(), prefix.Error()+": "); ok {
			return text
		}
	}
	return err.Error()
}
