// Package transfer moves records between the apps' tables, morango's store and the buffers that
// travel: serialization, counters, queue, buffers, dequeue and deserialization
// (morango/sync/operations.py). Every operation works inside the caller's transaction, may be
// repeated after an interruption, and costs what has changed, not what is stored.
package transfer

import (
	"slices"
	"strings"
)

// Filter is a list of partitions' beginnings: a record is in it when its partition starts with one
// of them. An empty filter holds nothing.
type Filter []string

// ParseFilter reads a filter as sessions keep it: prefixes between white space.
func ParseFilter(text string) Filter { return strings.Fields(text) }

// String is the filter with a line for each prefix.
func (f Filter) String() string { return strings.Join(f, "\n") }

// Contains tells whether a partition is in the filter.
func (f Filter) Contains(partition string) bool {
	return slices.ContainsFunc(f, func(prefix string) bool { return strings.HasPrefix(partition, prefix) })
}

// Within tells whether everything in the filter is in another one too. An empty filter is in none:
// the original reads it as everything.
func (f Filter) Within(other Filter) bool {
	return len(f) > 0 && !slices.ContainsFunc(f, func(prefix string) bool { return !other.Contains(prefix) })
}

// Add joins two filters, each prefix once.
func (f Filter) Add(other Filter) Filter {
	all := slices.Clone(f)
	for _, prefix := range other {
		if !slices.Contains(all, prefix) {
			all = append(all, prefix)
		}
	}
	return all
}

// Equal tells whether both filters have the same prefixes.
func (f Filter) Equal(other Filter) bool {
	has := func(list Filter) func(string) bool {
		return func(prefix string) bool { return !slices.Contains(list, prefix) }
	}
	return !slices.ContainsFunc(f, has(other)) && !slices.ContainsFunc(other, has(f))
}

// Scope is what a certificate allows: partitions that may be read and written.
type Scope struct{ Read, Write Filter }

// Within tells whether a scope allows nothing that another does not allow.
func (s Scope) Within(other Scope) bool {
	return s.Read.Within(other.Read) && s.Write.Within(other.Write)
}

// definitions are the templates of scopes: what may be both read and written, only read, only written
// (kolibri/core/auth/fixtures/scopedefinitions.json).
var definitions = map[string]struct{ both, read, write string }{
	"full-facility": {"${dataset_id}", "", ""},
	"single-user":   {"${dataset_id}:user-rw:${user_id}", "${dataset_id}:allusers-ro\n${dataset_id}:user-ro:${user_id}", "${dataset_id}:anonymous"},
}

// ScopeOf is the scope of a certificate by its definition ("full-facility", "single-user") and its
// parameters ("dataset_id", "user_id"). ok is false for an unknown definition and where a parameter
// is missing or would be no single prefix.
func ScopeOf(definition string, params map[string]string) (s Scope, ok bool) {
	d, ok := definitions[definition]
	if !ok {
		return Scope{}, false
	}
	for _, name := range []string{"dataset_id", "user_id"} {
		needed := strings.Contains(d.both+d.read, "${"+name+"}")
		if value := params[name]; needed && (value == "" || strings.ContainsAny(value, " \t\r\n$")) {
			return Scope{}, false
		}
	}
	fill := strings.NewReplacer("${dataset_id}", params["dataset_id"], "${user_id}", params["user_id"])
	parse := func(template string) Filter { return ParseFilter(fill.Replace(template)) }
	return Scope{Read: parse(d.both).Add(parse(d.read)), Write: parse(d.both).Add(parse(d.write))}, true
}
