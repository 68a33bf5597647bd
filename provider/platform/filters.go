package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Filters are the names by which each kind of objects can be filtered.
var Filters = map[Object][]string{
	Users:      {"search", "role"},
	Courses:    {"search", "kind"},
	Content:    {"search", "course_id", "parent_id", "kind"},
	Milestones: {"user_id", "course_id", "content_id", "since", "until"},
	Activity:   {"user_id", "course_id", "content_id", "since", "until"},
	Enrolments: {"user_id", "course_id", "role"},
}

// CheckFilters refuses names that a kind of objects has not, and values that are none.
func CheckFilters(o Object, filter map[string]string) error {
	for name, value := range filter {
		if !slices.Contains(Filters[o], name) {
			return fmt.Errorf("%s has no parameter %s; it has %s", o, name, strings.Join(Filters[o], ", "))
		}
		if name == "since" || name == "until" {
			if _, err := time.Parse(time.RFC3339, value); err != nil {
				return fmt.Errorf("%s is no time such as 2026-01-31T08:00:00Z", name)
			}
		}
		if len(value) > 200 {
			return fmt.Errorf("%s is too long", name)
		}
	}
	return nil
}

// Matches tells whether an item passes the filters, whatever the platform did with them itself.
func Matches(item any, filter map[string]string) bool {
	for name, value := range filter {
		if !matches(item, name, value) {
			return false
		}
	}
	return true
}

func matches(item any, name, value string) bool {
	switch v := item.(type) {
	case User:
		return pick(name, value, map[string]string{"role": v.Role}, v.Name, v.Username, v.Email, v.Identifier)
	case Course:
		return pick(name, value, map[string]string{"kind": v.Kind}, v.Name, v.Description)
	case Item:
		return pick(name, value, map[string]string{"course_id": v.CourseID, "parent_id": v.ParentID, "kind": v.Kind}, v.Title, v.Description)
	case Milestone:
		return within(name, value, v.StartedAt) && pick(name, value, map[string]string{"user_id": v.UserID, "course_id": v.CourseID, "content_id": v.ContentID})
	case Session:
		return within(name, value, v.StartedAt) && pick(name, value, map[string]string{"user_id": v.UserID, "course_id": v.CourseID, "content_id": v.ContentID})
	case Enrolment:
		return pick(name, value, map[string]string{"user_id": v.UserID, "course_id": v.CourseID, "role": v.Role})
	}
	return false
}

func pick(name, value string, fields map[string]string, texts ...string) bool {
	if field, ok := fields[name]; ok {
		return field == value
	}
	if name != "search" {
		return true
	}
	wanted := strings.ToLower(value)
	return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(strings.ToLower(text), wanted) })
}

// within compares a moment with since and until; what has no time is in no span of it.
func within(name, value string, at *time.Time) bool {
	if name != "since" && name != "until" {
		return true
	}
	bound, err := time.Parse(time.RFC3339, value)
	if err != nil || at == nil {
		return false
	}
	return name == "since" && !at.Before(bound) || name == "until" && at.Before(bound)
}
