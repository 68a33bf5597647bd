package transfer

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kolibri/morango"
)

//go:embed models.txt
var modelsText string

// kind is the type of a field.
type kind byte

const (
	kindText kind = iota
	kindID        // 32 hex digits everywhere
	kindUUID      // travels with hyphens
	kindBool
	kindInt
	kindFloat
	kindZoned // Kolibri's DateTimeTzField: a moment in UTC with the name of the writer's zone
	kindTime  // travels with milliseconds
	kindJSON  // travels as a text inside the JSON
)

var kinds = map[string]kind{"text": kindText, "id": kindID, "uuid": kindUUID, "bool": kindBool, "int": kindInt,
	"float": kindFloat, "zoned": kindZoned, "time": kindTime, "json": kindJSON}

// field is a field of a model.
type field struct {
	name         string
	kind         kind
	null, blank  bool
	size         int    // of a text, 0 is any
	table        string // that it refers to
	author       bool
	coach        bool
	choices      []string
	least, most  float64
	fallback     string // what a record has that does not name the field, as JSON or "now"
	hasFallback  bool
	isOfIdentity bool
}

// model is a synchronized model with its fields.
type model struct {
	*morango.Model
	fields []field
	byName map[string]int
	// columns are the fields' names with commas, for SQL.
	columns string
	// dataset and user are the places of dataset_id and user_id, or -1.
	dataset, user int
	// collection is the kind of the collections that the model is, which share one table.
	collection string
}

// models are all models in registry order.
var models = sync.OnceValue(func() []*model {
	byName := map[string]*model{}
	var current *model
	for _, line := range strings.Split(modelsText, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
		case words[0] == "morango":
			for _, name := range []string{"id", "_morango_source_id", "_morango_partition"} {
				current.fields = append(current.fields, field{name: name, isOfIdentity: true})
			}
		case len(words) == 1:
			current = &model{dataset: -1, user: -1}
			byName[words[0]] = current
		default:
			current.fields = append(current.fields, parseField(words))
		}
	}
	all := make([]*model, len(morango.Models))
	for i, known := range morango.Models {
		m := byName[known.Name]
		m.Model, m.byName = known, map[string]int{}
		names := make([]string, len(m.fields))
		for j, f := range m.fields {
			m.byName[f.name], names[j] = j, f.name
			switch {
			case f.name == "dataset_id":
				m.dataset = j
			case f.name == "user_id":
				m.user = j
			case f.name == "kind" && m.Table == morango.Facility.Table:
				m.collection = m.Name
			}
		}
		m.columns = strings.Join(names, ", ")
		all[i] = m
	}
	return all
})

func parseField(words []string) field {
	f := field{name: words[0], least: math.Inf(-1), most: math.Inf(1)}
	kindName, null := strings.CutSuffix(words[1], "?")
	f.null = null
	name := strings.TrimRight(kindName, "0123456789")
	known, ok := kinds[name]
	if !ok {
		panic(fmt.Sprintf("morango: models.txt: %v has an unknown type", words))
	}
	f.kind = known
	f.size, _ = strconv.Atoi(kindName[len(name):])
	for i, option := range words[2:] {
		least, most, isRange := strings.Cut(option, "..")
		switch {
		case strings.HasPrefix(option, "="):
			f.fallback, f.hasFallback = strings.TrimPrefix(strings.Join(words[2+i:], " "), "="), true
			if f.kind == kindText {
				f.fallback = strconv.Quote(f.fallback)
			}
			return f
		case strings.HasPrefix(option, ">"):
			f.table = option[1:]
		case isRange:
			if least != "" {
				f.least, _ = strconv.ParseFloat(least, 64)
			}
			if most != "" {
				f.most, _ = strconv.ParseFloat(most, 64)
			}
		case strings.Contains(option, "|"):
			f.choices = strings.Split(strings.ReplaceAll(option, "~", " "), "|")
		case option == "author":
			f.author = true
		case option == "coach":
			f.coach = true
		case option == "blank":
			f.blank = true
		}
	}
	return f
}

// modelOf finds a model by its name; nil for one that this program does not know.
func modelOf(name string) *model {
	all := models()
	i := slices.IndexFunc(all, func(m *model) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

// condition is SQL for the model's own rows in a table that other models share.
func (m *model) condition() string {
	if m.collection == "" {
		return ""
	}
	return " AND kind = '" + m.collection + "'"
}
