package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"kolibri/core/api"
	"kolibri/store"
)

// State is a job's state (kolibri/core/tasks/job.py: State).
type State string

// The states. A job is QUEUED from its creation, whenever it shall run; SELECTED when a worker has
// taken it.
const (
	Queued    State = "QUEUED"
	Selected  State = "SELECTED"
	Running   State = "RUNNING"
	Failed    State = "FAILED"
	Canceling State = "CANCELING"
	Canceled  State = "CANCELED"
	Completed State = "COMPLETED"
)

// Finished tells whether nothing more will happen in this state.
func (s State) Finished() bool { return s == Failed || s == Canceled || s == Completed }

// Job is one task to do or done. Its JSON is the column saved_job, with the keys that the original
// gives it, so that either program reads the other's jobs.
type Job struct {
	ID            string         `json:"job_id"`
	FacilityID    *string        `json:"facility_id"`
	Func          string         `json:"func"`
	State         State          `json:"state"`
	Exception     *string        `json:"exception"`
	Traceback     string         `json:"traceback"`
	TrackProgress bool           `json:"track_progress"`
	Cancellable   bool           `json:"cancellable"`
	LongRunning   bool           `json:"long_running"`
	ExtraMetadata map[string]any `json:"extra_metadata"`
	Progress      float64        `json:"progress"`
	TotalProgress float64        `json:"total_progress"`
	Result        any            `json:"result"`
	Args          []any          `json:"args"`
	Kwargs        map[string]any `json:"kwargs"`
	Queue         string         `json:"-"`
	Priority      int            `json:"-"`
	Interval      int64          `json:"-"` // seconds between repeats
	Repeat        *int64         `json:"-"` // nil: for ever
	RetryInterval *int64         `json:"-"`
	Retries       *int64         `json:"-"`
	MaxRetries    *int64         `json:"-"`
	ScheduledTime time.Time      `json:"-"`
	savedFraction float64
	savedTotal    float64
}

const jobColumns = "saved_job, state, queue, priority, interval, repeat, retry_interval, retries, max_retries, scheduled_time"

func scanJob(row store.Scanner) (*Job, error) {
	j := &Job{}
	var saved string
	var state State
	var scheduled store.NullTime
	err := row.Scan(&saved, &state, &j.Queue, &j.Priority, &j.Interval, &j.Repeat, &j.RetryInterval, &j.Retries, &j.MaxRetries, &scheduled)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(saved)))
	dec.UseNumber()
	if err := dec.Decode(j); err != nil {
		return nil, fmt.Errorf("tasks: saved_job: %w", err)
	}
	j.State, j.ScheduledTime = state, scheduled.Time
	if j.Args == nil {
		j.Args = []any{}
	}
	if j.Kwargs == nil {
		j.Kwargs = map[string]any{}
	}
	if j.ExtraMetadata == nil {
		j.ExtraMetadata = map[string]any{}
	}
	j.savedFraction, j.savedTotal = j.fraction(), j.TotalProgress
	return j, nil
}

// save writes what saved_job and state hold; the schedule is written by Schedule alone.
func (j *Job) save(tx *store.Tx) error {
	saved, err := api.JSON(j)
	if err != nil {
		return fmt.Errorf("tasks: a job's arguments and results must be JSON: %w", err)
	}
	_, err = tx.Exec("UPDATE jobs SET state = ?, saved_job = ?, time_updated = ? WHERE id = ?", j.State, string(saved), tx.Now(), j.ID)
	return err
}

// insert writes a new job, or an old one's new schedule.
func (j *Job) insert(tx *store.Tx, created time.Time) error {
	saved, err := api.JSON(j)
	if err != nil {
		return fmt.Errorf("tasks: a job's arguments and results must be JSON: %w", err)
	}
	_, err = tx.Exec(`INSERT INTO jobs (id, state, func, priority, queue, saved_job, time_created, time_updated, interval, repeat,
			retry_interval, retries, max_retries, scheduled_time) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET state = excluded.state, func = excluded.func, priority = excluded.priority, queue = excluded.queue,
			saved_job = excluded.saved_job, time_updated = excluded.time_updated, interval = excluded.interval, repeat = excluded.repeat,
			retry_interval = excluded.retry_interval, retries = excluded.retries, max_retries = excluded.max_retries,
			scheduled_time = excluded.scheduled_time`,
		j.ID, j.State, j.Func, j.Priority, j.Queue, string(saved), created, created, j.Interval, j.Repeat,
		j.RetryInterval, j.Retries, j.MaxRetries, j.ScheduledTime)
	return err
}

// fraction is the progress between 0 and 1; without a total it is what the job said.
func (j *Job) fraction() float64 {
	if j.TotalProgress != 0 {
		return j.Progress / j.TotalProgress
	}
	return j.Progress
}

// answer is a job as the API shows it (kolibri/core/tasks/api.py: _job_to_response).
type answer struct {
	Status         State          `json:"status"`
	Type           string         `json:"type"`
	Exception      *string        `json:"exception"`
	Traceback      string         `json:"traceback"`
	Percentage     any            `json:"percentage"`
	ID             string         `json:"id"`
	Cancellable    bool           `json:"cancellable"`
	Clearable      bool           `json:"clearable"`
	FacilityID     *string        `json:"facility_id"`
	Args           []any          `json:"args"`
	Kwargs         map[string]any `json:"kwargs"`
	ExtraMetadata  map[string]any `json:"extra_metadata"`
	Scheduled      *string        `json:"scheduled_datetime"`
	Repeat         *int64         `json:"repeat"`
	RepeatInterval int64          `json:"repeat_interval"`
	RetryInterval  *int64         `json:"retry_interval"`
	MaxRetries     *int64         `json:"max_retries"`
}

func (j *Job) answer() answer {
	a := answer{Status: j.State, Type: j.Func, Exception: j.Exception, Traceback: j.Traceback, Percentage: j.Progress, ID: j.ID,
		Cancellable: j.Cancellable, Clearable: j.State.Finished(), FacilityID: j.FacilityID, Args: j.Args, Kwargs: j.Kwargs,
		ExtraMetadata: j.ExtraMetadata, Repeat: j.Repeat, RepeatInterval: j.Interval, RetryInterval: j.RetryInterval, MaxRetries: j.MaxRetries}
	if j.TotalProgress != 0 { // a quotient is a float in Python, a count need not be
		a.Percentage = api.Float(j.fraction())
	}
	if !j.ScheduledTime.IsZero() {
		text := isoformat(j.ScheduledTime)
		a.Scheduled = &text
	}
	return a
}

// isoformat writes a moment as Python's datetime.isoformat does in UTC.
func isoformat(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05+00:00")
	}
	return t.Format("2006-01-02T15:04:05.000000+00:00")
}
