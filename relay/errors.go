package relay

import (
	"fmt"
	"net/http"
	"strconv"
)

// failure is what a client is told when no tab answered: why, in words and, for programs, as a code
// in the header X-Relay-Error.
type failure struct {
	status int
	code   string
	text   string
	retry  int // seconds after which it may work
}

// failAnswered is none: the request has been answered.
var failAnswered = &failure{}

func (f *failure) Error() string { return fmt.Sprintf("%d %s: %s", f.status, f.code, f.text) }

var (
	failNoTab = &failure{503, "no-tab", "Nobody shares a Kolibri here at the moment.", 5}
	failBusy  = &failure{503, "busy", "Too many requests are open at once. Try again in a moment.", 1}
	failStops = &failure{503, "stopping", "This relay is being stopped.", 5}
	failGone  = &failure{502, "tab-gone", "The browser tab that was to answer has gone. It is not known whether it did what was asked.", 0}
	failTab   = &failure{502, "tab-failed", "The browser tab could not answer.", 0}
	failTime  = &failure{504, "deadline", "The browser tab did not answer in time.", 0}
	failNoApp = &failure{404, "no-app", "There is no app of this name.", 0}
	failNoRun = &failure{503, "no-runtime", "No runtime is connected that could run this app.", 5}
	failPeer  = &failure{502, "relay-gone", "The relay that the tab is connected to does not answer.", 1}
	failBad   = &failure{400, "bad-request", "This request cannot be passed on.", 0}
)

func (f *failure) write(w http.ResponseWriter) {
	header := w.Header()
	clear(header)
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Relay-Error", f.code)
	if f.retry > 0 {
		header.Set("Retry-After", strconv.Itoa(f.retry))
	}
	w.WriteHeader(f.status)
	_, _ = fmt.Fprintf(w, "%d %s\n%s\n", f.status, http.StatusText(f.status), f.text)
}
