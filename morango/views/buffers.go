package views

import (
	"compress/gzip"
	"errors"
	"io"
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

// bufferPage is a page of records. rest_framework/pagination.py: LimitOffsetPagination
type bufferPage struct {
	Count    int64             `json:"count"`
	Next     *string           `json:"next"`
	Previous *string           `json:"previous"`
	Results  []transfer.Buffer `json:"results"`
}

// buffers gives the client of a pull its records.
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
	limit, err := strconv.ParseInt(q.Get("limit"), 10, 64)
	if err != nil || limit <= 0 {
		return transfer.Buffers(r.Tx, t.ID, 0, total)
	}
	offset, err := strconv.ParseInt(q.Get("offset"), 10, 64)
	if err != nil || offset < 0 {
		offset = 0
	}
	page := bufferPage{Count: total, Results: []transfer.Buffer{}}
	if offset < total {
		if page.Results, err = transfer.Buffers(r.Tx, t.ID, offset, limit); err != nil {
			return nil, err
		}
	}
	if offset+limit < total {
		page.Next = v.pageAddress(r, q, limit, offset+limit)
	}
	if offset > 0 {
		page.Previous = v.pageAddress(r, q, limit, max(0, offset-limit))
	}
	return page, nil
}

func (v *Views) pageAddress(r *api.Request, q url.Values, limit, offset int64) *string {
	q = url.Values{"transfer_session_id": q["transfer_session_id"], "limit": {strconv.FormatInt(limit, 10)}}
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
