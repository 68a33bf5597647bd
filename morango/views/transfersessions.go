package views

import (
	"errors"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/morango/session"
	"kolibri/morango/transfer"
	"kolibri/store"
)

// transferSession is a transfer session as it is shown.
// morango/api/serializers.py: TransferSessionSerializer
type transferSession struct {
	ID            string         `json:"id"`
	Start         api.Time       `json:"start_timestamp"`
	LastActivity  api.Time       `json:"last_activity_timestamp"`
	Active        bool           `json:"active"`
	Filter        string         `json:"filter"`
	Push          bool           `json:"push"`
	Transferred   int64          `json:"records_transferred"`
	Total         *int64         `json:"records_total"`
	BytesReceived int64          `json:"bytes_received"`
	BytesSent     int64          `json:"bytes_sent"`
	Sync          string         `json:"sync_session"`
	ServerFSIC    string         `json:"server_fsic"`
	ClientFSIC    string         `json:"client_fsic"`
	Stage         transfer.Stage `json:"transfer_stage"`
	Status        session.Status `json:"transfer_stage_status"`
}

func shown(t *session.Transfer) transferSession {
	return transferSession{t.ID, api.Time(t.Start), api.Time(t.LastActivity), t.Active, t.Filter.String(), t.Push, t.Transferred, t.Total,
		t.BytesReceived, t.BytesSent, t.SyncID, t.ServerFSIC, t.ClientFSIC, t.Stage, t.Status}
}

// permitted says why a transfer of this filter is outside of what the certificates allow, or nothing.
func permitted(client, server transfer.Scope, filter transfer.Filter, push bool) string {
	if push {
		switch {
		case !filter.Within(server.Read):
			return "Server certificate scope does not permit receiving pushes for the requested filter."
		case !filter.Within(client.Write):
			return "Client certificate scope does not permit pushing for the requested filter."
		}
		return ""
	}
	switch {
	case !filter.Within(server.Write):
		return "Server certificate scope does not permit responding to pulls for the requested filter."
	case !filter.Within(client.Read):
		return "Client certificate scope does not permit pulling for the requested filter."
	}
	return ""
}

func scopeOf(tx *store.Tx, id string) (transfer.Scope, error) {
	c, err := morango.LoadCertificate(tx, id)
	if err != nil {
		return transfer.Scope{}, err
	}
	return certificates.Scope(c)
}

// openTransfer begins a transfer in one direction, or finds the one that was begun. A client that does
// not know of stages gets it with its records in the buffers.
// morango/api/viewsets.py: TransferSessionViewSet.create
func (v *Views) openTransfer(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	push := api.Truth(body["push"])
	t := &session.Transfer{Push: push, Filter: transfer.ParseFilter(text(body, "filter")), ClientFSIC: text(body, "client_fsic")}
	var s *session.Sync
	err = v.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) {
		s, err = session.LoadSync(tx, id(body, "sync_session_id"))
		if errors.Is(err, store.ErrNotFound) || err == nil && !s.Active {
			return refuse(http.StatusBadRequest, "Requested syncsession does not exist or is no longer active!")
		}
		if err != nil {
			return err
		}
		client, err := scopeOf(tx, s.ClientCertificateID)
		if err != nil {
			return err
		}
		server, err := scopeOf(tx, s.ServerCertificateID)
		if err != nil {
			return err
		}
		if why := permitted(client, server, t.Filter, push); why != "" {
			return refuse(http.StatusForbidden, why)
		}
		given, ok := api.ParseUUID(text(body, "id"))
		if t.ID = given; !ok {
			return &api.Error{Status: http.StatusBadRequest, Body: map[string][]string{"id": {"Must be 32 hexadecimal digits."}}}
		}
		other, err := session.LoadTransfer(tx, given)
		if err == nil && other.SyncID != s.ID {
			return &api.Error{Status: http.StatusBadRequest, Body: map[string][]string{"id": {"Transfer session with this ID already exists."}}}
		}
		if errors.Is(err, store.ErrNotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if push {
		if t.Total, err = count(r, body, "records_total"); err != nil {
			return nil, err
		}
	}
	capabilities := common(r)
	v2 := slices.Contains(capabilities, session.FSICV2)
	if t, err = v.controller.Initialize(r.Ctx, s, t, v2); err != nil {
		return nil, err
	}
	if !slices.Contains(capabilities, session.Async) && t.Status != session.Errored {
		if t, err = v.controller.Proceed(r.Ctx, t.ID, transfer.Queuing, session.Input{V2: v2, ClientFSIC: text(body, "client_fsic")}); err != nil {
			return nil, blame(err)
		}
	}
	if t.Status == session.Errored {
		// the original answers 500 here
		return nil, refuse(http.StatusConflict, "Failed to initialize session: an earlier transfer of this sync session failed. Begin a new sync session.")
	}
	return api.Created(shown(t)), nil
}

// failed tells whether an error is that of a stage, which the transfer session shows from then on.
func failed(err error) bool {
	var stage *session.StageError
	return errors.As(err, &stage)
}

// blame makes an error that the other device is to blame for an answer that says so.
func blame(err error) error {
	for _, theirs := range []error{transfer.ErrFSIC, transfer.ErrBuffer, session.ErrTotals} {
		if errors.Is(err, theirs) {
			return &api.Error{Status: http.StatusBadRequest, Body: []string{reason(err)}, Cause: err}
		}
	}
	return err
}

// count reads a number of records or bytes; nil when it is not given.
func count(r *api.Request, body map[string]any, name string) (*int64, error) {
	if body[name] == nil {
		return nil, nil
	}
	value, _, message := api.CleanInt(r, body[name])
	n, ok := value.(int64)
	if message == "" && (!ok || n < 0 || n > 1<<53) {
		message = "A valid integer is required."
	}
	if message != "" {
		return nil, api.FieldError(api.Invalid, name, message)
	}
	return &n, nil
}

// activeTransfer is the transfer session of the path, unless it is closed.
func (v *Views) activeTransfer(r *api.Request, tx *store.Tx) (*session.Transfer, error) {
	t, err := session.LoadTransfer(tx, known(r.Param("pk")))
	if errors.Is(err, store.ErrNotFound) || err == nil && !t.Active {
		return nil, r.NotFound()
	}
	return t, err
}

func (v *Views) showTransfer(r *api.Request) (any, error) {
	t, err := v.activeTransfer(r, r.Tx)
	if err != nil {
		return nil, err
	}
	return shown(t), nil
}

func (v *Views) replaceTransfer(*api.Request) (any, error) {
	return nil, refuse(http.StatusMethodNotAllowed, "Only PATCH updates allowed")
}

// proceed takes a transfer to a stage, and notes what the client counted.
// morango/api/viewsets.py: TransferSessionViewSet.update
func (v *Views) proceed(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	counted := map[string]*int64{}
	for _, name := range []string{"records_total", "records_transferred", "bytes_sent", "bytes_received"} {
		if counted[name], err = count(r, body, name); err != nil {
			return nil, err
		}
	}
	var t *session.Transfer
	err = v.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { t, err = v.activeTransfer(r, tx); return err })
	if err != nil {
		return nil, err
	}
	if given := body["transfer_stage"]; given != nil {
		stage := transfer.Stage(text(body, "transfer_stage"))
		if !session.KnownStage(stage) {
			// the original answers 500 here
			return nil, &api.Error{Status: http.StatusBadRequest, Body: map[string][]string{"transfer_stage": {"There is no such stage."}}}
		}
		in := session.Input{V2: slices.Contains(common(r), session.FSICV2), ClientFSIC: text(body, "client_fsic"), Transferred: counted["records_transferred"]}
		if _, err := v.controller.Proceed(r.Ctx, t.ID, stage, in); err != nil && !failed(err) {
			return nil, err
		}
	}
	defer v.controller.Lock(t.ID)()
	err = v.host.DB.Write(r.Ctx, func(tx *store.Tx) (err error) {
		if t, err = v.activeTransfer(r, tx); err != nil { // the stage may have been the last
			return err
		}
		if n := counted["records_total"]; n != nil {
			t.Total = n
		}
		for name, to := range map[string]*int64{"records_transferred": &t.Transferred, "bytes_sent": &t.BytesSent, "bytes_received": &t.BytesReceived} {
			if n := counted[name]; n != nil {
				*to = *n
			}
		}
		return t.Save(tx)
	})
	if err != nil {
		return nil, err
	}
	return shown(t), nil
}

// closeTransfer ends a transfer that has come to its end. One that has not goes on being active, as
// with the original, and ends with its sync session.
func (v *Views) closeTransfer(r *api.Request) (any, error) {
	var t *session.Transfer
	err := v.host.DB.Read(r.Ctx, func(tx *store.Tx) (err error) { t, err = v.activeTransfer(r, tx); return err })
	if err != nil {
		return nil, err
	}
	in := session.Input{V2: slices.Contains(common(r), session.FSICV2), ClientFSIC: t.ClientFSIC}
	if _, err := v.controller.Proceed(r.Ctx, t.ID, transfer.Cleanup, in); err != nil && !failed(err) {
		return nil, err
	}
	return api.NoContent(), nil
}
