package logger

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// csvRequests is the permission to know for which days logs were exported: admins of the facility
// have it. kolibri/core/logger/models.py: GenerateCSVLogRequest
var csvRequests = &auth.Model{Name: "GenerateCSVLogRequest", Rules: []auth.Rule{auth.ByRole{Over: auth.OverCollection,
	Create: []string{auth.Admin}, Read: []string{auth.Admin}, Update: []string{auth.Admin}, Delete: []string{auth.Admin},
	Dataset: "this.facility_id IN (SELECT id FROM kolibriauth_collection WHERE dataset_id = ?)"}}}

const isFacility = "SELECT 1 FROM kolibriauth_collection WHERE kind = 'facility' AND id = ?"

var csvRequestFields = []api.Field{
	{Name: "facility", Clean: api.CleanKey(isFacility)},
	{Name: "log_type", Clean: api.CleanChoice("session", "summary")},
	{Name: "selected_start_date", Optional: true, Null: true, Clean: api.CleanTime},
	{Name: "selected_end_date", Optional: true, Null: true, Clean: api.CleanTime},
	{Name: "date_requested", Optional: true, Clean: api.CleanTime},
}

// csvRequest is for which days a facility's logs were exported last.
type csvRequest struct {
	id       int64
	Facility string   `json:"facility"`
	LogType  string   `json:"log_type"`
	Start    api.Time `json:"selected_start_date"`
	End      api.Time `json:"selected_end_date"`
	Date     api.Time `json:"date_requested"`
}

func scanCSVRequest(row store.Scanner) (*csvRequest, error) {
	c := &csvRequest{}
	var start, end, date store.Zoned
	err := row.Scan(&c.id, &c.Facility, &c.LogType, &start, &end, &date)
	c.Start, c.End, c.Date = moment(start), moment(end), moment(date)
	return c, err
}

const csvRequestColumns = "g.id, g.facility_id, g.log_type, g.selected_start_date, g.selected_end_date, g.date_requested"

// kolibri/core/logger/api.py: GenerateCSVLogRequestViewSet
func csvRequestRoutes() []api.Route {
	const list, detail = "kolibri:core:generatecsvlogrequest-list", "kolibri:core:generatecsvlogrequest-detail"
	return []api.Route{
		{Name: list, Method: http.MethodGet, Handle: listCSVRequests},
		{Name: list, Method: http.MethodPost, Handle: createCSVRequest},
		{Name: detail, Method: http.MethodGet, Handle: showCSVRequest},
		{Name: detail, Method: http.MethodPut, Handle: updateCSVRequest},
		{Name: detail, Method: http.MethodPatch, Handle: updateCSVRequest},
		{Name: detail, Method: http.MethodDelete, Handle: deleteCSVRequest},
	}
}

// readableCSVRequests is the query for those that the person may read and the filters name.
func readableCSVRequests(r *api.Request) (*api.Query, error) {
	q := &api.Query{From: "logger_generatecsvlogrequest g", Order: "g.id"}
	if kind := r.Query().Get("log_type"); kind != "" {
		if !slices.Contains([]string{"session", "summary"}, kind) {
			return nil, api.FieldError(api.InvalidChoice, "log_type", "Select a valid choice. "+kind+" is not one of the available choices.")
		}
		q.Where("g.log_type = ?", kind)
	}
	if given := r.Query().Get("facility"); given != "" {
		id, ok := api.ParseUUID(given)
		if ok {
			var err error
			if ok, err = r.Tx.Exists(isFacility, id); err != nil {
				return nil, err
			}
		}
		if !ok {
			return nil, api.FieldError(api.InvalidChoice, "facility", "Select a valid choice. That choice is not one of the available choices.")
		}
		q.Where("g.facility_id = ?", id)
	}
	return q, auth.OnlyReadable(r, q, csvRequests, "g")
}

func listCSVRequests(r *api.Request) (any, error) {
	q, err := readableCSVRequests(r)
	if err != nil {
		return nil, err
	}
	return api.List(r, q, csvRequestColumns, 0, scanCSVRequest)
}

// findCSVRequest is the one that the path names.
func findCSVRequest(r *api.Request) (*csvRequest, error) {
	q, err := readableCSVRequests(r)
	if err != nil {
		return nil, err
	}
	id, err := strconv.ParseInt(r.Param("pk"), 10, 32)
	if err != nil {
		return nil, r.NotFound()
	}
	text, args := q.Where("g.id = ?", id).SQL(csvRequestColumns)
	all, err := store.Select(r.Tx, scanCSVRequest, text, args...)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, r.NotFound()
	}
	return all[0], nil
}

func showCSVRequest(r *api.Request) (any, error) { return findCSVRequest(r) }

// zoned is a cleaned moment as the column keeps it, or NULL.
func zoned(v any) any {
	if t, ok := v.(time.Time); ok {
		return store.Zoned(t)
	}
	return nil
}

func createCSVRequest(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, csvRequestFields, false)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Create, csvRequests, auth.Object{CollectionID: values.String("facility")}); err != nil {
		return nil, err
	}
	date := values["date_requested"]
	if date == nil {
		date = r.Now()
	}
	id, err := r.Tx.Insert(`INSERT INTO logger_generatecsvlogrequest (facility_id, log_type, selected_start_date, selected_end_date, date_requested)
		VALUES (?, ?, ?, ?, ?)`, values.String("facility"), values.String("log_type"), zoned(values["selected_start_date"]), zoned(values["selected_end_date"]), zoned(date))
	if err != nil {
		return nil, err
	}
	made, err := store.Get(r.Tx, scanCSVRequest, "SELECT "+csvRequestColumns+" FROM logger_generatecsvlogrequest g WHERE g.id = ?", id)
	if err != nil {
		return nil, err
	}
	return api.Created(made), nil
}

func updateCSVRequest(r *api.Request) (any, error) {
	c, err := findCSVRequest(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Update, csvRequests, auth.Object{CollectionID: c.Facility}); err != nil {
		return nil, err
	}
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	values, err := r.Clean(body, csvRequestFields, r.HTTP.Method == http.MethodPatch)
	if err != nil {
		return nil, err
	}
	if to := values.String("facility"); to != "" && to != c.Facility { // to be answerable for both
		if err := auth.Require(r, auth.Create, csvRequests, auth.Object{CollectionID: to}); err != nil {
			return nil, err
		}
	}
	for _, f := range csvRequestFields {
		v, given := values[f.Name]
		if !given {
			continue
		}
		column := f.Name
		if f.Name == "facility" {
			column = "facility_id"
		}
		if _, text := v.(string); !text {
			v = zoned(v)
		}
		if _, err := r.Tx.Exec("UPDATE logger_generatecsvlogrequest SET "+column+" = ? WHERE id = ?", v, c.id); err != nil {
			return nil, err
		}
	}
	return store.Get(r.Tx, scanCSVRequest, "SELECT "+csvRequestColumns+" FROM logger_generatecsvlogrequest g WHERE g.id = ?", c.id)
}

func deleteCSVRequest(r *api.Request) (any, error) {
	c, err := findCSVRequest(r)
	if err != nil {
		return nil, err
	}
	if err := auth.Require(r, auth.Delete, csvRequests, auth.Object{CollectionID: c.Facility}); err != nil {
		return nil, err
	}
	_, err = r.Tx.Exec("DELETE FROM logger_generatecsvlogrequest WHERE id = ?", c.id)
	return api.NoContent(), err
}
