package tasks

import (
	"errors"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/store"
)

// Routes are those of kolibri/core/tasks/api.py: TasksViewSet. The CSRF token is needed by anonymous
// visitors too, as the view is decorated; DELETE is answered on every address, as the view has a
// method of that name.
func (r *Runner) Routes() []api.Route {
	const name = "kolibri:core:task-"
	routes := []api.Route{
		{Name: name + "list", Method: http.MethodGet, Handle: r.list},
		{Name: name + "list", Method: http.MethodPost, NoTx: true, Handle: r.create},
		{Name: name + "detail", Method: http.MethodGet, Handle: r.retrieve},
		{Name: name + "detail", Method: http.MethodPut, Handle: r.update},
		{Name: name + "detail", Method: http.MethodPatch, Handle: r.update},
		{Name: name + "restart", Method: http.MethodPost, Handle: r.restart},
		{Name: name + "cancel", Method: http.MethodPost, Handle: r.cancel},
		{Name: name + "clear", Method: http.MethodPost, Handle: r.clear},
		{Name: name + "clearall", Method: http.MethodPost, Handle: r.clearAll},
	}
	for _, address := range []string{"list", "detail", "restart", "cancel", "clear", "clearall"} {
		routes = append(routes, api.Route{Name: name + address, Method: http.MethodDelete, Handle: r.remove})
	}
	for i := range routes {
		routes[i].CSRFAlways = true
	}
	return routes
}

// empty is the answer to what has nothing to say.
var empty = map[string]any{}

// list shows the jobs that the person may see, of one queue and of one kind if the query says so.
func (r *Runner) list(q *api.Request) (any, error) {
	who, err := auth.UserOf(q)
	if err != nil {
		return nil, err
	}
	query := api.Query{From: "jobs", Order: "time_created, id"}
	if queue := q.Query().Get("queue"); queue != "" {
		query.Where("queue = ?", queue)
	}
	switch q.Query().Get("repeating") {
	case "true":
		query.Where("repeat > 0 OR repeat IS NULL")
	case "false":
		query.Where("repeat = 0")
	}
	text, args := query.SQL(jobColumns)
	jobs, err := store.Select(q.Tx, scanJob, text, args...)
	if err != nil {
		return nil, err
	}
	shown := make([]answer, 0, len(jobs))
	for _, job := range jobs {
		if t := r.types[job.Func]; t != nil {
			ok, err := t.Permission.allows(q.Tx, who, job, true)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		shown = append(shown, job.answer())
	}
	return shown, nil
}

// order is a job that a request asks for.
type order struct {
	*Type
	spec  Spec
	when  Schedule
	timed bool
}

// create makes one job or several; all of them are valid and allowed, or none is made. Where another
// device is to be asked before, no transaction is open meanwhile.
func (r *Runner) create(q *api.Request) (any, error) {
	data, err := q.Data()
	if err != nil {
		return nil, err
	}
	wishes, several := data.([]any)
	if !several {
		wishes = []any{data}
	}
	var orders []order
	var made []answer
	err = r.inTx(q, func() (err error) {
		if orders, err = r.orders(q, wishes); err != nil {
			return err
		}
		if !slices.ContainsFunc(orders, func(o order) bool { return o.Ask != nil }) {
			made, err = r.place(q.Tx, orders)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if made == nil {
		for i := range orders {
			if ask := orders[i].Ask; ask != nil {
				if err := ask(q, &orders[i].spec); err != nil {
					return nil, err
				}
			}
		}
		err := r.inTx(q, func() (err error) {
			made, err = r.place(q.Tx, orders)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(made) == 1 {
		return made[0], nil
	}
	return made, nil
}

// inTx gives a request a writing transaction for a part of its work.
func (r *Runner) inTx(q *api.Request, fn func() error) error {
	return r.host.DB.Write(q.Ctx, func(tx *store.Tx) error {
		q.Tx = tx
		defer func() { q.Tx = nil }()
		return fn()
	})
}

// orders reads the objects of a request.
func (r *Runner) orders(q *api.Request, wishes []any) ([]order, error) {
	who, err := auth.UserOf(q)
	if err != nil {
		return nil, err
	}
	orders := make([]order, 0, len(wishes))
	for _, wish := range wishes {
		body, ok := wish.(map[string]any)
		if !ok {
			return nil, plain("Invalid data. Expected a dictionary.")
		}
		o, err := r.read(q, who, body)
		if err != nil {
			return nil, err
		}
		orders = append(orders, o)
	}
	return orders, nil
}

// place queues the jobs.
func (r *Runner) place(tx *store.Tx, orders []order) ([]answer, error) {
	made := make([]answer, 0, len(orders))
	for _, o := range orders {
		job, err := o.newJob(o.spec, r.host.Rand)
		if err != nil {
			return nil, err
		}
		err = r.schedule(tx, job, o.Queue, o.when)
		if errors.Is(err, ErrRunning) && o.timed {
			return nil, plain("Job is already running")
		}
		if err != nil && !errors.Is(err, ErrRunning) {
			return nil, err
		}
		if job, err = get(tx, job.ID); err != nil {
			return nil, err
		}
		made = append(made, job.answer())
	}
	return made, nil
}

// read turns one object of a request into a job that the person may start.
func (r *Runner) read(q *api.Request, who *auth.Person, body map[string]any) (o order, err error) {
	name, ok := body["type"].(string)
	if !ok {
		return o, plain("The task type must be a string.")
	}
	t := r.types[name]
	if t == nil {
		return o, plain(name + " is not a registered task - is it in a tasks module of an installed app?")
	}
	o.Type = t
	var bad Errors
	if raw, given := body["enqueue_args"]; given {
		o.when, o.timed = readNested(q, &bad, raw)
	}
	if !t.built() { // enough for the permission to be judged
		o.spec.FacilityID, _ = body["facility"].(string)
	} else if t.Validate != nil {
		o.spec, err = t.Validate(q, who, body)
	}
	if err := merge(bad.Err(), err); err != nil {
		return o, err
	}
	if !who.IsAnonymous() {
		metadata := map[string]any{"started_by": who.ID, "started_by_username": who.Username}
		for k, v := range o.spec.ExtraMetadata {
			if _, own := metadata[k]; !own {
				metadata[k] = v
			}
		}
		o.spec.ExtraMetadata = metadata
	}
	job, err := t.newJob(o.spec, r.host.Rand)
	if err != nil {
		return o, err
	}
	allowed, err := t.Permission.allows(q.Tx, who, job, false)
	switch {
	case err != nil:
		return o, err
	case !allowed:
		return o, q.PermissionDenied()
	case !t.built():
		return o, api.Fail(http.StatusNotImplemented, "NOT_IMPLEMENTED", map[string]any{"task": name,
			"message": "This server cannot do " + name + " yet."})
	}
	return o, nil
}

func readNested(q *api.Request, bad *Errors, raw any) (Schedule, bool) {
	object, ok := raw.(map[string]any)
	if !ok {
		if raw == nil {
			bad.Add(api.NullID, "enqueue_args", "This field may not be null.")
		} else {
			bad.NotObject("enqueue_args")
		}
		return Schedule{}, false
	}
	var inner api.Invalidities
	when, timed := cleanEnqueueArgs(q, &inner, object)
	bad.Nested("enqueue_args", &inner)
	return when, timed
}

// find is the job of the path, if the person may do with it what the request asks for.
func (r *Runner) find(q *api.Request, reading bool) (*Job, error) {
	job, err := get(q.Tx, q.Param("pk"))
	if errors.Is(err, store.ErrNotFound) {
		return nil, q.NotFound()
	}
	if err != nil {
		return nil, err
	}
	t := r.types[job.Func]
	if t == nil {
		return nil, q.NotFound()
	}
	who, err := auth.UserOf(q)
	if err != nil {
		return nil, err
	}
	ok, err := t.Permission.allows(q.Tx, who, job, reading)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, q.PermissionDenied()
	}
	return job, nil
}

func (r *Runner) retrieve(q *api.Request) (any, error) {
	job, err := r.find(q, true)
	if err != nil {
		return nil, err
	}
	return job.answer(), nil
}

// update schedules a job anew. A complete set of enqueue_args is wanted, by PATCH too.
func (r *Runner) update(q *api.Request) (any, error) {
	job, err := r.find(q, false)
	if err != nil {
		return nil, err
	}
	body, err := q.Object()
	if err != nil {
		return nil, err
	}
	args, ok := body["enqueue_args"].(map[string]any)
	if !ok {
		return nil, api.FieldError(api.Required, "enqueue_args", "This field is required.")
	}
	var bad api.Invalidities
	when, timed := cleanEnqueueArgs(q, &bad, args)
	if err := bad.Err(); err != nil {
		return nil, err
	}
	t := r.types[job.Func]
	if when.Priority == 0 {
		when.Priority = t.Priority
	}
	err = r.schedule(q.Tx, job, t.Queue, when)
	if errors.Is(err, ErrRunning) && timed {
		return api.Status(http.StatusConflict, "Job is already running"), nil
	}
	if err != nil && !errors.Is(err, ErrRunning) {
		return nil, err
	}
	return r.fresh(q, job.ID)
}

func (r *Runner) fresh(q *api.Request, id string) (any, error) {
	job, err := get(q.Tx, id)
	if err != nil {
		return nil, err
	}
	return job.answer(), nil
}

// remove deletes a job that is not running.
func (r *Runner) remove(q *api.Request) (any, error) {
	job, err := r.find(q, false)
	if err != nil {
		return nil, err
	}
	if job.State == Running {
		return nil, plain("Cannot delete job with state: " + string(job.State))
	}
	if err := Remove(q.Tx, job.ID); err != nil {
		return nil, err
	}
	return empty, nil
}

// restart makes a job that failed or was cancelled anew, with its id and arguments.
func (r *Runner) restart(q *api.Request) (any, error) {
	job, err := r.find(q, false)
	if err != nil {
		return nil, err
	}
	if job.State != Canceled && job.State != Failed {
		return nil, plain("Cannot restart job with state: " + string(job.State))
	}
	if err := Remove(q.Tx, job.ID); err != nil {
		return nil, err
	}
	job.Exception, job.Traceback, job.Progress, job.TotalProgress, job.Result = nil, "", 0, 0, nil
	if err := r.schedule(q.Tx, job, job.Queue, Schedule{Priority: job.Priority}); err != nil {
		return nil, err
	}
	return r.fresh(q, job.ID)
}

func (r *Runner) cancel(q *api.Request) (any, error) {
	job, err := r.find(q, false)
	if err != nil {
		return nil, err
	}
	if !job.Cancellable {
		return nil, plain("Cannot cancel job for task: " + job.Func)
	}
	if err := r.Cancel(q.Tx, job.ID); err != nil {
		return nil, err
	}
	return empty, nil
}

func (r *Runner) clear(q *api.Request) (any, error) {
	job, err := r.find(q, false)
	if err != nil {
		return nil, err
	}
	if !job.State.Finished() {
		return nil, plain("Cannot clear job with state: " + string(job.State))
	}
	if err := Remove(q.Tx, job.ID); err != nil {
		return nil, err
	}
	return empty, nil
}

// clearAll forgets what is finished. The original lets everybody do that.
func (r *Runner) clearAll(q *api.Request) (any, error) {
	body, err := q.Object()
	if err != nil {
		return nil, err
	}
	queue, _ := body["queue"].(string)
	if err := Clear(q.Tx, queue); err != nil {
		return nil, err
	}
	return empty, nil
}
