package content

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"kolibri/core/api"
	"kolibri/store"
)

// kinds are the kinds a filter may name (le_utils/constants/content_kinds.py, and "content" for all
// that is no topic).
var kinds = []string{"topic", "video", "audio", "exercise", "document", "html5", "slideshow", "h5p", "zim", "quiz", "content"}

var modalities = []string{Course, "CUSTOM_NAVIGATION", Lesson, Quiz, Survey, Unit}

// inLeftOrder is the order that the filters by kind, author and tag ask for.
const inLeftOrder = "n.lft, n.tree_id"

// filter narrows a query of nodes by the request's parameters. Malformed ones are a 400 that names
// them all. It reports whether the filters cannot let anything through.
// kolibri/core/content/api.py: ContentNodeFilter
func (c *Content) filter(r *api.Request, q *api.Query) (none bool, err error) {
	f := filtering{r: r, q: q}
	f.ids("ids", "n.id")
	f.kind()
	if ids := r.ListParam("exclude_content_ids"); ids != nil {
		q.Where("NOT n.content_id IN ?", store.In(uuids(ids)))
	}
	if list := r.ListParam("kind_in"); list != nil {
		q.Where("n.kind IN ?", store.In(list)).Order = inLeftOrder
	}
	f.id("parent", "n.parent_id")
	f.null("parent__isnull", "n.parent_id")
	if coach, given := r.BoolParam("include_coach_content"); given && !coach {
		q.Where("n.coach_content = FALSE")
	}
	if quiz, _ := r.BoolParam("contains_quiz"); quiz {
		q.Where(`EXISTS (SELECT 1 FROM content_contentnode z WHERE z.modality = ? AND z.available = TRUE
			AND z.tree_id = n.tree_id AND z.lft >= n.lft AND z.rght <= n.rght)`, Quiz)
	}
	if err := c.withLabels(r, q, f.labels(), strings.TrimSpace(r.Query().Get("keywords"))); err != nil {
		return false, err
	}
	f.ids("channels", "n.channel_id")
	if list := r.ListParam("languages"); list != nil {
		q.Where("n.lang_id IN ?", store.In(list))
	}
	f.null("categories__isnull", "n.categories")
	f.number("lft__gt", "n.lft > ?")
	f.number("rght__lt", "n.rght < ?")
	f.number("tree_id", "n.tree_id = ?")
	if list := r.ListParam("authors"); list != nil {
		q.Where("n.author IN ?", store.In(list)).Order = inLeftOrder
	}
	if list := r.ListParam("tags"); list != nil {
		q.Where(`n.id IN (SELECT x.contentnode_id FROM content_contentnode_tags x JOIN content_contenttag t ON t.id = x.contenttag_id
			WHERE t.tag_name IN ?)`, store.In(list)).Order = inLeftOrder
	}
	f.descendants()
	f.modality()
	f.related()
	f.id("content_id", "n.content_id")
	f.id("channel_id", "n.channel_id")
	if outside, _ := r.BoolParam("exclude_course_ancestry"); outside {
		q.Where(`NOT EXISTS (SELECT 1 FROM content_contentnode z WHERE z.modality = ? AND z.available = TRUE
			AND z.tree_id = n.tree_id AND z.lft < n.lft AND z.rght > n.rght)`, Course)
	}
	if f.err != nil {
		return false, f.err
	}
	return f.none, f.bad.Err()
}

// filtering collects the mistakes of one request's filters.
type filtering struct {
	r    *api.Request
	q    *api.Query
	bad  api.Invalidities
	none bool
	err  error
}

const notUUID = "Enter a valid UUID."

func (f *filtering) get(name string) string { return f.r.Query().Get(name) }

// id is a filter by one id.
func (f *filtering) id(name, column string) {
	v := strings.TrimSpace(f.get(name))
	if v == "" {
		return
	}
	id, ok := api.ParseUUID(v)
	if !ok {
		f.bad.Add(api.Invalid, name, notUUID)
		return
	}
	f.q.Where(column+" = ?", id)
}

// ids is a filter by a comma-joined list of ids.
func (f *filtering) ids(name, column string) {
	list := f.r.ListParam(name)
	if list == nil {
		return
	}
	for _, v := range list {
		if _, ok := api.ParseUUID(strings.TrimSpace(v)); !ok && v != "" {
			f.bad.Add(api.Invalid, name, notUUID)
			return
		}
	}
	f.q.Where(column+" IN ?", store.In(uuids(list)))
}

// uuids are those of a list's texts that are ids.
func uuids(list []string) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		if id, ok := api.ParseUUID(strings.TrimSpace(v)); ok {
			out = append(out, id)
		}
	}
	return out
}

func (f *filtering) null(name, column string) {
	if null, given := f.r.BoolParam(name); given {
		f.q.Where(column + map[bool]string{true: " IS NULL", false: " IS NOT NULL"}[null])
	}
}

func (f *filtering) number(name, condition string) {
	v := strings.TrimSpace(f.get(name))
	if v == "" {
		return
	}
	n, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0):
		f.bad.Add(api.Invalid, name, "Enter a number.")
	case n == math.Trunc(n) && math.Abs(n) <= math.MaxInt32:
		f.q.Where(condition, int64(n))
	default: // PostgreSQL takes the column's type for a bare one
		f.q.Where(strings.Replace(condition, "?", "CAST(? AS DOUBLE PRECISION)", 1), n)
	}
}

func notChoice(v string) string {
	return "Select a valid choice. " + v + " is not one of the available choices."
}

func (f *filtering) kind() {
	v := f.get("kind")
	switch {
	case v == "":
	case !slices.Contains(kinds, v):
		f.bad.Add(api.InvalidChoice, "kind", notChoice(v))
	case v == "content":
		f.q.Where("n.kind <> ?", Topic).Order = inLeftOrder
	default:
		f.q.Where("n.kind = ?", v).Order = inLeftOrder
	}
}

func (f *filtering) modality() {
	if v := f.get("modality"); v != "" {
		if !slices.Contains(modalities, v) {
			f.bad.Add(api.InvalidChoice, "modality", notChoice(v))
		}
		f.q.Where("n.modality = ?", v)
	}
	if list := f.r.ListParam("exclude_modalities"); list != nil {
		for _, v := range list {
			if !slices.Contains(modalities, v) {
				f.bad.Add(api.InvalidChoice, "exclude_modalities", notChoice(v))
				return
			}
		}
		f.q.Where("n.modality IS NULL OR n.modality NOT IN ?", store.In(list))
	}
}

// labels are the labels that nodes must have; unknown ones are passed over.
func (f *filtering) labels() (masks labelMasks) {
	for i, field := range labelFields {
		if list := f.r.ListParam(field.name); list != nil {
			masks[i] = field.mask(list)
		}
	}
	if f.get("resource_types") != "" {
		// no bits are kept of this field, and the original fails
		f.bad.Add(api.Invalid, "resource_types", "Resources cannot be filtered by this field.")
	}
	return masks
}

func (f *filtering) descendants() {
	v := f.get("descendant_of")
	if v == "" {
		return
	}
	id, ok := api.ParseUUID(v)
	if !ok {
		f.bad.Add(api.Invalid, "descendant_of", notUUID)
		return
	}
	var left, right, tree int64
	err := f.r.Tx.QueryRow("SELECT lft, rght, tree_id FROM content_contentnode WHERE id = ?", id).Scan(&left, &right, &tree)
	switch {
	case errors.Is(err, store.ErrNotFound):
		f.none = true
		f.q.Where("1 = 0")
	case err != nil:
		f.err = err
	default:
		f.q.Where("n.tree_id = ? AND n.lft > ? AND n.rght < ?", tree, left, right)
	}
}

// related are the filters by links between nodes; each may be given more than once.
func (f *filtering) related() {
	for _, link := range []struct{ name, table, own, other string }{
		{"prerequisite_for", "has_prerequisite", "to_contentnode_id", "from_contentnode_id"},
		{"has_prerequisite", "has_prerequisite", "from_contentnode_id", "to_contentnode_id"},
		{"related", "related", "from_contentnode_id", "to_contentnode_id"},
	} {
		given := slices.DeleteFunc(slices.Clone(f.r.Query()[link.name]), func(v string) bool { return v == "" })
		if len(given) == 0 {
			continue
		}
		for _, v := range given {
			id, ok := api.ParseUUID(v)
			if !ok {
				f.bad.Add("INVALID_PK_VALUE", link.name, "“"+v+"” is not a valid value.")
				return
			}
			found, err := f.r.Tx.Exists("SELECT 1 FROM content_contentnode WHERE id = ?", id)
			if err != nil {
				f.err = err
				return
			}
			if !found {
				f.bad.Add(api.InvalidChoice, link.name, notChoice(v))
				return
			}
		}
		f.q.Where("n.id IN (SELECT x."+link.own+" FROM content_contentnode_"+link.table+" x WHERE x."+link.other+" IN ?)", store.In(uuids(given)))
	}
}
