package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Counters are the highest counters known of instances.
type Counters map[string]int64

// FSIC are filter specific instance counters: what a device has of each partition of a filter. Sub
// are partitions inside the filter, Super those that contain one of its prefixes
// (morango/models/fsic_utils.py).
type FSIC struct {
	Super map[string]Counters `json:"super"`
	Sub   map[string]Counters `json:"sub"`
}

// ErrFSIC is wrapped by the errors about counters that another device sent.
var ErrFSIC = errors.New("morango: malformed counters")

// ParseFSIC reads the counters that another device sent.
func ParseFSIC(text string) (FSIC, error) {
	var f FSIC
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return FSIC{}, fmt.Errorf("%w: %w", ErrFSIC, err)
	}
	if f.Super == nil || f.Sub == nil {
		return FSIC{}, fmt.Errorf("%w: they need \"super\" and \"sub\"", ErrFSIC)
	}
	for _, side := range []map[string]Counters{f.Super, f.Sub} {
		for part, counters := range side {
			if len(part) > maxPartition {
				return FSIC{}, fmt.Errorf("%w: a partition of %d bytes", ErrFSIC, len(part))
			}
			if err := counters.check(); err != nil {
				return FSIC{}, err
			}
		}
	}
	return f, nil
}

// maxPartition is the size of a partition's column.
const maxPartition = 128

// parseCounters reads counters without partitions.
func parseCounters(text string) (Counters, error) {
	counters := Counters{}
	if err := json.Unmarshal([]byte(text), &counters); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFSIC, err)
	}
	return counters, counters.check()
}

// check refuses what no device counts.
func (c Counters) check() error {
	for instance, counter := range c {
		if !isID(instance) || counter < 0 || counter > math.MaxInt32 {
			return fmt.Errorf("%w: %.40q: %d", ErrFSIC, instance, counter)
		}
	}
	return nil
}

// isID tells whether a text is an id: 32 hex digits.
func isID(s string) bool {
	return len(s) == 32 && strings.Trim(s, "0123456789abcdef") == ""
}

// inside refuses promises about partitions that the session does not carry.
func (f FSIC) inside(filter Filter) error {
	for part := range f.Sub {
		if !filter.Contains(part) {
			return fmt.Errorf("%w: partition %.60q is not in the filter", ErrFSIC, part)
		}
	}
	return nil
}

// String is the FSIC as it travels.
func (f FSIC) String() string {
	text, _ := json.Marshal(f) // maps of strings and integers
	return string(text)
}

// Reduce removes the counters that a containing partition makes superfluous. Partitions left without
// counters stay: they tell that the device knows the partition.
func (f FSIC) Reduce() {
	merged := map[string]Counters{}
	maps.Copy(merged, f.Super)
	maps.Copy(merged, f.Sub)
	for _, side := range []map[string]Counters{f.Super, f.Sub} {
		for part, counters := range side {
			for above := range prefixesOf(part, merged) {
				if above == part {
					continue
				}
				for instance, counter := range merged[above] {
					if own, ok := counters[instance]; ok && own <= counter {
						delete(counters, instance)
					}
				}
			}
		}
	}
}

// Expand gives the counters of the partitions in the filter, with those of the partitions above them
// brought down.
func (f FSIC) Expand(filter Filter) map[string]Counters {
	sub := map[string]Counters{}
	for _, prefix := range filter {
		sub[prefix] = Counters{}
	}
	for part, counters := range f.Sub {
		sub[part] = maps.Clone(counters)
		if sub[part] == nil {
			sub[part] = Counters{}
		}
	}
	for part, counters := range sub {
		if hasProperPrefix(part, sub) {
			continue
		}
		for above, theirs := range f.Super {
			if !strings.HasPrefix(part, above) {
				continue
			}
			for instance, counter := range theirs {
				if counter > counters[instance] {
					counters[instance] = counter
				}
			}
		}
	}
	maps.DeleteFunc(sub, func(_ string, counters Counters) bool { return len(counters) == 0 })
	return sub
}

// prefixesOf yields the keys that a partition starts with, itself included. It looks each prefix of
// the text up, so that its cost does not grow with the number of keys.
func prefixesOf(part string, keys map[string]Counters) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := 0; i <= len(part); i++ {
			if _, ok := keys[part[:i]]; ok && !yield(part[:i]) {
				return
			}
		}
	}
}

func hasProperPrefix(part string, keys map[string]Counters) bool {
	for above := range prefixesOf(part, keys) {
		if above != part {
			return true
		}
	}
	return false
}

// Diff gives, by partition and instance, the counters above which the sender has records that the
// receiver lacks. Both sides are expanded.
func Diff(sender, receiver map[string]Counters) map[string]Counters {
	diff := map[string]Counters{}
	for part, instances := range sender {
		for instance, counter := range instances {
			var has int64
			for above := range prefixesOf(part, receiver) {
				has = max(has, receiver[above][instance])
			}
			if has < counter {
				if diff[part] == nil {
					diff[part] = Counters{}
				}
				diff[part][instance] = has
			}
		}
	}
	return diff
}

// DiffV1 is Diff of counters without partitions, as devices before FSIC_V2_FORMAT have them.
func DiffV1(sender, receiver Counters) Counters {
	diff := Counters{}
	for instance, counter := range sender {
		if has := receiver[instance]; has < counter {
			diff[instance] = has
		}
	}
	return diff
}

// Chunk cuts counters into parts of at most size partitions and instances together.
func Chunk(diff map[string]Counters, size int) []map[string]Counters {
	var chunks []map[string]Counters
	left, current := size, map[string]Counters{}
	for _, part := range slices.Sorted(maps.Keys(diff)) {
		left--
		for _, instance := range slices.Sorted(maps.Keys(diff[part])) {
			if left <= 0 {
				if len(current) > 0 {
					chunks = append(chunks, current)
				}
				current, left = map[string]Counters{}, size-1
			}
			if current[part] == nil {
				current[part] = Counters{}
			}
			current[part][instance] = diff[part][instance]
			left--
		}
	}
	if len(current) > 0 {
		chunks = append(chunks, current)
	}
	return chunks
}
