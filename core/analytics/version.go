package analytics

import (
	"slices"
	"strconv"
	"strings"

	"kolibri/core/api"
)

// inRange tells whether this Kolibri is one that a message is for: comma-joined comparisons such as
// ">=0.15.0,<0.17.0", all of which must hold; nothing or * is everybody.
// kolibri/utils/version.py: version_matches_range
func inRange(wanted string) bool {
	for _, part := range strings.Split(wanted, ",") {
		part = strings.TrimSpace(part)
		if part == "" || part == "*" {
			continue
		}
		version := strings.TrimLeft(part, "<>=!")
		order := slices.Compare(numbers(api.Version), numbers(version))
		var fits bool
		switch part[:len(part)-len(version)] {
		case "", "=", "==":
			fits = order == 0
		case "!=":
			fits = order != 0
		case "<":
			fits = order < 0
		case "<=":
			fits = order <= 0
		case ">":
			fits = order > 0
		case ">=":
			fits = order >= 0
		}
		if !fits {
			return false
		}
	}
	return true
}

// numbers are the parts of a release's number: three of them, and whether it is a release (1) or
// something before it (0), such as "0.19.0b2".
func numbers(version string) []int {
	all := []int{0, 0, 0, 1}
	for i, part := range strings.SplitN(version, ".", 3) {
		digits := len(part) - len(strings.TrimLeft(part, "0123456789"))
		all[i], _ = strconv.Atoi(part[:digits])
		if digits < len(part) {
			all[3] = 0
			break
		}
	}
	return all
}
