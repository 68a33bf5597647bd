package tasks

import (
	_ "embed"
	"strconv"
	"strings"
)

// catalog.tsv holds Kolibri's task types: what the decorators of kolibri/**/tasks.py say of each.
//
//go:embed catalog.tsv
var catalogTable string

// Priorities: a lower number runs first (kolibri/core/tasks/constants.py). Jobs of high priority
// have workers of their own.
const (
	High    = 5
	Regular = 10
	Low     = 15
)

// Type is one kind of task, with the work that an app gave it.
type Type struct {
	// Name is the original's path of the function, such as "kolibri.core.device.tasks.provisiondevice".
	Name     string
	Queue    string
	Priority int
	// Cancellable, TracksProgress and LongRunning are what a new job of this type says of itself.
	Cancellable, TracksProgress, LongRunning bool
	// FixedID is the id of every job of a type of which there is only one, or empty.
	FixedID    string
	Permission Permission
	Work
}

func catalog() map[string]*Type {
	all := map[string]*Type{}
	for _, line := range strings.Split(catalogTable, "\n") {
		cells := strings.Split(line, "\t")
		if len(cells) < 6 || strings.HasPrefix(line, "#") {
			continue
		}
		t := &Type{Name: cells[0], Queue: cells[1], Permission: Permission(cells[4]), FixedID: cells[5]}
		t.Priority, _ = strconv.Atoi(cells[2])
		for _, flag := range strings.Split(cells[3], ",") {
			switch flag {
			case "cancellable":
				t.Cancellable = true
			case "progress":
				t.TracksProgress = true
			case "long":
				t.LongRunning = true
			}
		}
		all[t.Name] = t
	}
	return all
}
