package views_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/server/servertest"
	"kolibri/store"
)

const base = "/api/morango/v1/"

// other is another device.
type other struct {
	t *testing.T
	*servertest.World
	key  morango.Key
	root certificates.Signed
	own  *morango.Certificate
}

var zeros = strings.Repeat("0", 32)

func newOther(t *testing.T) *other {
	key, err := morango.NewKey(rand.Reader)
	require.NoError(t, err)
	o := &other{t: t, World: servertest.NewWorld(t), key: key}
	var roots []certificates.Signed
	o.do("GET", "certificates/?primary_partition="+o.IDs["dataset"], "", nil, 200, &roots)
	require.Len(t, roots, 1)
	o.root = roots[0]
	return o
}

// do sends a request; who is a username or empty. It returns the answer's text.
func (o *other) do(method, path, who string, body any, status int, into any) string {
	o.t.Helper()
	var reader io.Reader
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte:
		reader, kind = bytes.NewReader(b), "application/gzip"
	case string:
		reader = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		require.NoError(o.t, err)
		reader = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, o.HTTP.URL+base+path, reader)
	require.NoError(o.t, err)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("X-Morango-Capabilities", "ASYNC_OPERATIONS FSIC_V2_FORMAT GZIP_BUFFER_POST")
	if who != "" {
		r.SetBasicAuth("username="+who+"&facility="+o.IDs["facility"], servertest.Password)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(o.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(o.t, err)
	require.Equal(o.t, status, res.StatusCode, "%s %s: %s", method, path, text)
	if into != nil {
		require.NoError(o.t, json.Unmarshal(text, into))
	}
	return string(text)
}

func (o *other) wish(change map[string]any) map[string]any {
	w := map[string]any{"parent": o.root.ID, "profile": "facilitydata", "scope_definition": "full-facility", "scope_version": 1,
		"scope_params": `{"dataset_id": "` + o.IDs["dataset"] + `"}`, "public_key": o.key.Public}
	for name, value := range change {
		w[name] = value
	}
	return w
}

func (o *other) user(name string) map[string]any {
	return map[string]any{"scope_definition": "single-user", "scope_params": `{"dataset_id": "` + o.IDs["dataset"] + `", "user_id": "` + o.IDs[name] + `"}`}
}

func TestWhoMayHaveACertificate(t *testing.T) {
	o := newOther(t)
	for _, c := range []struct {
		who    string
		change map[string]any
		status int
		says   string
	}{
		{"", nil, 401, "Authentication credentials were not provided."},
		{"learner", nil, 403, "PERMISSION_DENIED"},
		{"classcoach", nil, 403, "Certificate List"},
		{"coach", nil, 403, "PERMISSION_DENIED"},
		{"admin", nil, 201, "full-facility"},
		{"superuser", nil, 201, "full-facility"},
		{"nobody", nil, 401, "Invalid credentials."},
		{"learner", o.user("learner"), 201, "single-user"},
		{"learner", o.user("learner2"), 403, "PERMISSION_DENIED"},
		{"classcoach", o.user("learner"), 403, "PERMISSION_DENIED"},
		{"admin", o.user("learner"), 201, "single-user"},
		{"admin", o.user("unknown"), 400, "no user with this user_id"},
		{"admin", map[string]any{"scope_params": `{"dataset_id": "` + zeros + `"}`}, 403, "PERMISSION_DENIED"},
		{"superuser", map[string]any{"scope_params": `{"dataset_id": "` + zeros + `"}`}, 400, "CertificateScopeNotSubset"},
		{"superuser", map[string]any{"parent": nil}, 400, "must be specified"},
		{"superuser", map[string]any{"parent": zeros}, 400, "object does not exist"},
		{"superuser", map[string]any{"parent": "x"}, 400, "object does not exist"},
		{"superuser", map[string]any{"scope_definition": "x"}, 400, "object does not exist"},
		{"superuser", map[string]any{"scope_version": "x"}, 400, "A valid integer"},
		{"superuser", map[string]any{"public_key": "x"}, 400, "no RSA key"},
		{"superuser", map[string]any{"profile": "zzz"}, 400, "Certificate profile is zzz but parent's is facilitydata"},
		{"admin", map[string]any{"scope_params": "["}, 403, "PERMISSION_DENIED"},
		{"superuser", map[string]any{"scope_params": "{}"}, 403, "PERMISSION_DENIED"},
		{"superuser", map[string]any{"scope_params": "null"}, 403, "PERMISSION_DENIED"},
		{"superuser", map[string]any{"parent": ""}, 400, `{"parent":["Parent certificate (to sign the requested certificate) must be specified!"]}`},
		{"superuser", map[string]any{"scope_definition": 7}, 400, `{"scope_definition":["Invalid pk \"7\" - object does not exist."]}`},
		{"superuser", map[string]any{"profile": nil}, 400, `{"profile":["This field may not be null."]}`},
		{"superuser", map[string]any{"profile": "  "}, 400, `{"profile":["This field may not be blank."]}`},
		{"superuser", map[string]any{"profile": strings.Repeat("x", 21)}, 400, `{"profile":["Ensure this field has no more than 20 characters."]}`},
		{"superuser", map[string]any{"profile": []int{1}}, 400, `{"profile":["Not a valid string."]}`},
		{"superuser", map[string]any{"scope_version": nil}, 400, `{"scope_version":["This field may not be null."]}`},
		{"superuser", map[string]any{"scope_version": "2"}, 201, `"scope_version":2`},
		{"superuser", map[string]any{"public_key": nil}, 400, `{"public_key":["This field may not be null."]}`},
	} {
		require.Contains(t, o.do("POST", "certificates/", c.who, o.wish(c.change), c.status, nil), c.says)
	}
}

// The answers are those of a real Kolibri 0.19.5.
func TestEmptyRequestForACertificateNamesItsFields(t *testing.T) {
	o := newOther(t)
	for _, who := range []string{"", "superuser"} {
		require.JSONEq(t, `{"profile": ["This field is required."], "scope_definition": ["This field is required."], "scope_version": ["This field is required."],
			"scope_params": ["This field is required."], "public_key": ["This field is required."]}`, o.do("POST", "certificates/", who, map[string]any{}, 400, nil))
	}
}

func (o *other) certify() {
	var signed certificates.Signed
	o.do("POST", "certificates/", "admin", o.wish(nil), 201, &signed)
	own, err := certificates.Parse(signed.Serialized, signed.Signature)
	require.NoError(o.t, err)
	own.PrivateKey = o.key.Private
	o.own = own
}

// opening is the request that begins a sync session; change may spoil it before it is signed.
func (o *other) opening(change map[string]string) map[string]string {
	var nonce struct{ ID string }
	o.do("POST", "nonces/", "", nil, 201, &nonce)
	id, err := morango.NewID(rand.Reader)
	require.NoError(o.t, err)
	chain, err := json.Marshal([]certificates.Signed{o.root, certificates.Travelling(o.own)})
	require.NoError(o.t, err)
	b := map[string]string{"id": id, "server_certificate_id": o.root.ID, "client_certificate_id": o.own.ID, "profile": "facilitydata",
		"certificate_chain": string(chain), "connection_path": o.HTTP.URL, "instance": `{"id": "` + zeros + `", "kolibri": "0.19.5"}`, "nonce": nonce.ID}
	for name, value := range change {
		b[name] = value
	}
	if b["signature"] == "" {
		b["signature"], err = o.own.Sign(b["nonce"] + ":" + b["id"])
		require.NoError(o.t, err)
	}
	return b
}

func TestSyncSessionNeedsProof(t *testing.T) {
	o := newOther(t)
	o.certify()
	used := o.opening(nil)
	o.do("POST", "syncsessions/", "", used, 201, nil)
	for name, c := range map[string]struct {
		change map[string]string
		status int
		says   string
	}{
		"used nonce":         {map[string]string{"nonce": used["nonce"]}, 403, "Nonce is not valid"},
		"unknown nonce":      {map[string]string{"nonce": zeros}, 403, "Nonce is not valid"},
		"signature":          {map[string]string{"signature": "AAAA"}, 403, "failed to verify signature"},
		"no base64":          {map[string]string{"signature": "%"}, 403, "failed to verify signature"},
		"chain":              {map[string]string{"certificate_chain": "[]"}, 403, "Saving certificate chain has failed"},
		"malformed chain":    {map[string]string{"certificate_chain": "{"}, 403, "Saving certificate chain has failed"},
		"other certificate":  {map[string]string{"client_certificate_id": o.root.ID}, 403, "Saving certificate chain has failed"},
		"no certificate":     {map[string]string{"client_certificate_id": ""}, 400, "Requested certificate does not exist!"},
		"server certificate": {map[string]string{"server_certificate_id": zeros}, 400, "Requested certificate does not exist!"},
		"id again":           {map[string]string{"id": used["id"]}, 400, "already exists"},
		"malformed id":       {map[string]string{"id": "x"}, 400, "32 hexadecimal digits"},
		"instance":           {map[string]string{"instance": "["}, 400, "JSON text"},
		"instance id":        {map[string]string{"instance": `{"id": "x"}`}, 400, "32 hexadecimal digits"},
	} {
		t.Run(name, func(t *testing.T) {
			o.t = t
			require.Contains(t, o.do("POST", "syncsessions/", "", o.opening(c.change), c.status, nil), c.says)
		})
	}
	late := o.opening(nil)
	o.Skip(61 * time.Second)
	o.do("POST", "syncsessions/", "", late, 403, nil)
	o.do("GET", "syncsessions/"+used["id"]+"/", "", nil, 200, nil)
	o.do("DELETE", "syncsessions/"+used["id"]+"/", "", nil, 204, nil)
	for _, id := range []string{used["id"], zeros, "x"} {
		o.do("GET", "syncsessions/"+id+"/", "", nil, 404, nil)
	}
}

func (o *other) session() string {
	b := o.opening(nil)
	o.do("POST", "syncsessions/", "", b, 201, nil)
	return b["id"]
}

func (o *other) begin(sync string, push bool, filter string, status int) string {
	id, err := morango.NewID(rand.Reader)
	require.NoError(o.t, err)
	text := o.do("POST", "transfersessions/", "", map[string]any{"id": id, "filter": filter, "push": push, "sync_session_id": sync, "client_fsic": "{}"}, status, nil)
	if status >= 400 {
		return text
	}
	return "transfersessions/" + id + "/"
}

func TestTransferStaysWithinItsScopeAndStages(t *testing.T) {
	o := newOther(t)
	o.certify()
	sync, dataset := o.session(), o.IDs["dataset"]
	require.Contains(t, o.begin(zeros, false, dataset, 400), "does not exist or is no longer active")
	require.Contains(t, o.begin(sync, false, zeros, 403), "responding to pulls")
	require.Contains(t, o.begin(sync, false, "", 403), "responding to pulls")
	require.Contains(t, o.begin(sync, true, dataset+" "+o.IDs["other_dataset"], 403), "receiving pushes")
	pull := o.begin(sync, false, dataset, 201)
	o.do("PUT", pull, "", map[string]any{}, 405, nil)
	require.Contains(t, o.do("PATCH", pull, "", map[string]any{"transfer_stage": "bogus"}, 400, nil), "no such stage")
	require.Contains(t, o.do("PATCH", pull, "", map[string]any{"records_total": "many"}, 400, nil), "valid integer")
	var now struct {
		Stage  string `json:"transfer_stage"`
		Status string `json:"transfer_stage_status"`
		Total  int    `json:"records_total"`
	}
	fsic := map[string]any{"transfer_stage": "serializing", "client_fsic": `{"super": {}, "sub": {}}`}
	o.do("PATCH", pull, "", fsic, 200, &now)
	require.Equal(t, "serializing completed", now.Stage+" "+now.Status)
	o.do("PATCH", pull, "", map[string]any{"transfer_stage": "queuing"}, 200, &now)
	require.Positive(t, now.Total)
	o.do("PATCH", pull, "", map[string]any{"transfer_stage": "initializing"}, 200, &now)
	require.Equal(t, "queuing", now.Stage, "what is done stays done")
	id := strings.Split(pull, "/")[1]
	for _, given := range []string{"", zeros, "x"} {
		o.do("GET", "buffers/?transfer_session_id="+given, "", nil, 403, nil)
	}
	var page struct {
		Count   int
		Next    *string
		Results []map[string]any
	}
	o.do("GET", "buffers/?limit=2&offset=1&transfer_session_id="+id, "", nil, 200, &page)
	require.Equal(t, now.Total, page.Count)
	require.Len(t, page.Results, 2)
	require.Contains(t, *page.Next, "offset=3")
	require.Contains(t, o.do("POST", "buffers/", "", []any{page.Results[0]}, 403, nil), "does not allow pushes")

	lying := o.begin(o.session(), false, dataset, 201)
	o.do("PATCH", lying, "", map[string]any{"transfer_stage": "serializing", "client_fsic": "["}, 200, nil)
	o.do("PATCH", lying, "", map[string]any{"transfer_stage": "queuing"}, 200, &now)
	require.Equal(t, "errored", now.Status, "counters that are none")
}

// The answers are those of a real Kolibri 0.19.5, but for negative numbers, which it takes.
func TestCountsAreNumbers(t *testing.T) {
	o := newOther(t)
	o.certify()
	transfer := o.begin(o.session(), false, o.IDs["dataset"], 201)
	for _, field := range []string{"records_total", "records_transferred", "bytes_sent", "bytes_received"} {
		for _, good := range []any{4, "4", 4.0} {
			require.Contains(t, o.do("PATCH", transfer, "", map[string]any{field: good}, 200, nil), `"`+field+`":4`)
		}
		for _, bad := range []any{"x", "", 5.5, true, []int{1}, -1} {
			require.JSONEq(t, `[{"id": "INVALID", "metadata": {"field": "`+field+`", "message": "A valid integer is required."}}]`,
				o.do("PATCH", transfer, "", map[string]any{field: bad}, 400, nil))
		}
	}
}

func TestPagesOfRecords(t *testing.T) {
	o := newOther(t)
	o.certify()
	transfer := o.begin(o.session(), false, o.IDs["dataset"], 201)
	o.do("PATCH", transfer, "", map[string]any{"transfer_stage": "serializing", "client_fsic": `{"super": {}, "sub": {}}`}, 200, nil)
	o.do("PATCH", transfer, "", map[string]any{"transfer_stage": "queuing"}, 200, nil)
	id := strings.Split(transfer, "/")[1]
	type page struct {
		Count          int
		Next, Previous *string
		Results        []struct {
			ModelUUID string `json:"model_uuid"`
		}
	}
	var all []struct {
		ModelUUID string `json:"model_uuid"`
	}
	o.do("GET", "buffers/?transfer_session_id="+id, "", nil, 200, &all)
	require.Greater(t, len(all), 6)
	address := func(query string) *string { a := o.HTTP.URL + base + "buffers/?" + query; return &a }
	for query, want := range map[string]page{
		"limit=3&offset=3":                       {len(all), address("limit=3&offset=6&transfer_session_id=" + id), address("limit=3&transfer_session_id=" + id), all[3:6]},
		"x=1&limit=2":                            {len(all), address("limit=2&offset=2&transfer_session_id=" + id + "&x=1"), nil, all[:2]},
		"limit=1&limit=%202&offset=-1":           {len(all), address("limit=2&offset=2&transfer_session_id=" + id), nil, all[:2]},
		"limit=99999999999999999999":             {len(all), nil, nil, all},
		"limit=2&offset=99999999999999999999999": {len(all), nil, address("limit=2&offset=9223372036854775805&transfer_session_id=" + id), all[:0]},
	} {
		var got page
		o.do("GET", "buffers/?"+query+"&transfer_session_id="+id, "", nil, 200, &got)
		require.Equal(t, want, got, query)
	}
	for _, query := range []string{"limit=0", "limit=x", "limit=-1", "limit=2.5", "offset=3"} {
		require.True(t, strings.HasPrefix(o.do("GET", "buffers/?"+query+"&transfer_session_id="+id, "", nil, 200, nil), "["), query)
	}
	o.do("PATCH", transfer, "", map[string]any{"transfer_stage": "cleanup", "records_transferred": len(all)}, 404, nil)
	o.do("GET", transfer, "", nil, 404, nil)
}

func TestPushedRecordsAreChecked(t *testing.T) {
	o := newOther(t)
	o.certify()
	dataset := o.IDs["dataset"]
	record := func(session string, change map[string]any) map[string]any {
		partition, source := dataset+":anonymous", zeros
		id := morango.UUID(partition, source, "model_of_the_future")
		r := map[string]any{"serialized": "{}", "deleted": false, "last_saved_instance": zeros, "last_saved_counter": 1, "hard_deleted": false,
			"partition": partition, "source_id": source, "model_name": "model_of_the_future", "conflicting_serialized_data": "", "model_uuid": id,
			"transfer_session": session, "profile": "facilitydata", "_self_ref_fk": "",
			"rmcb_list": []any{map[string]any{"transfer_session": session, "model_uuid": id, "instance_id": zeros, "counter": 1}}}
		for name, value := range change {
			r[name] = value
		}
		return r
	}
	ready := func(total int) string {
		path := o.begin(o.session(), true, dataset, 201)
		o.do("PATCH", path, "", map[string]any{"transfer_stage": "serializing", "client_fsic": `{"super": {}, "sub": {"` + dataset + `": {"` + zeros + `": 1}}}`}, 200, nil)
		o.do("PATCH", path, "", map[string]any{"transfer_stage": "queuing", "records_total": total}, 200, nil)
		return strings.Split(path, "/")[1]
	}
	for name, change := range map[string]map[string]any{
		"wrong id":          {"model_uuid": strings.Repeat("1", 32)},
		"outside the scope": {"partition": o.IDs["other_dataset"]},
		"another profile":   {"profile": "x"},
		"no number":         {"last_saved_counter": "x"},
		"no instance":       {"last_saved_instance": ""},
		"a list for a text": {"serialized": []any{"{}"}},
		"a text for a list": {"rmcb_list": "[]"},
		"half a counter":    {"last_saved_counter": 1.5},
		"a long name":       {"model_name": strings.Repeat("x", 1<<20)},
		"nested counters":   {"rmcb_list": []any{[]any{[]any{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			o.t = t
			o.do("POST", "buffers/", "", []any{record(ready(1), change)}, 400, nil)
		})
	}
	o.t = t
	for _, body := range []any{"", "[", "[]", "null", []byte("no gzip"), `[{"transfer_session": 1}]`, strings.Repeat("[", 1<<20),
		`[{"transfer_session": "` + strings.Repeat("x", 1<<20)} {
		o.do("POST", "buffers/", "", body, 400, nil)
	}
	o.do("POST", "buffers/", "", []any{record(zeros, nil)}, 403, nil)

	failed := ready(1)
	o.do("POST", "buffers/", "", []any{record(failed, map[string]any{"model_uuid": zeros})}, 400, nil)
	o.do("POST", "buffers/", "", []any{record(failed, nil)}, 409, nil)
	o.do("DELETE", "transfersessions/"+failed+"/", "", nil, 204, nil)

	many := ready(1)
	second := record(many, nil)
	second["source_id"] = strings.Repeat("2", 32)
	id := morango.UUID(dataset+":anonymous", strings.Repeat("2", 32), "model_of_the_future")
	second["model_uuid"], second["rmcb_list"] = id, []any{}
	require.Contains(t, o.do("POST", "buffers/", "", []any{record(many, nil), second}, 400, nil), "more than 1")

	good := ready(1)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	require.NoError(t, json.NewEncoder(w).Encode([]any{record(good, nil)}))
	require.NoError(t, w.Close())
	o.do("POST", "buffers/", "", packed.Bytes()[:packed.Len()/2], 400, nil)
	o.do("POST", "buffers/", "", packed.Bytes(), 201, nil)
	o.do("POST", "buffers/", "", packed.Bytes(), 201, nil)
	for _, stage := range []string{"dequeuing", "deserializing"} {
		require.Contains(t, o.do("PATCH", "transfersessions/"+good+"/", "", map[string]any{"transfer_stage": stage}, 200, nil), `"completed"`)
	}
	o.do("DELETE", "transfersessions/"+good+"/", "", nil, 204, nil)
	o.do("GET", "transfersessions/"+good+"/", "", nil, 404, nil)
	require.NoError(t, o.DB.Read(context.Background(), func(tx *store.Tx) error {
		n, err := tx.Int("SELECT count(*) FROM morango_store WHERE model_name = 'model_of_the_future'")
		require.EqualValues(t, 1, n, "an unknown model is kept, for others")
		return err
	}))
}

func TestOtherOriginsMaySynchronize(t *testing.T) {
	s := servertest.New(t)
	ask := func(method, path string, headers map[string]string) *http.Response {
		r, err := http.NewRequest(method, s.HTTP.URL+path, nil)
		require.NoError(t, err)
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		res.Body.Close()
		return res
	}
	origin := map[string]string{"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "PATCH"}
	res := ask("OPTIONS", base+"transfersessions/"+zeros+"/", origin)
	require.Equal(t, 204, res.StatusCode)
	require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "X-Morango-Capabilities")
	require.Empty(t, res.Header.Get("Access-Control-Allow-Credentials"))
	require.Equal(t, "*", ask("GET", "/api/public/info/", origin).Header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "*", ask("GET", base+"certificates/", origin).Header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, ask("GET", "/api/auth/session/current/", origin).Header.Get("Access-Control-Allow-Origin"), "nothing else")
	require.Empty(t, ask("GET", "/api/public/info/", nil).Header.Get("Access-Control-Allow-Origin"))
}
