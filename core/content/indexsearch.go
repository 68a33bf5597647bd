package content

import (
	"cmp"
	"slices"
)

// indexSearch is a search without filters in a text index, which needs no rows of the database.
type indexSearch struct {
	*libraryTexts
	availableOnly bool
}

func (s indexSearch) shown(n int32) bool { return !s.availableOnly || s.nodes[n].available }

// best is best of search.go: the places of up to limit nodes.
func (s indexSearch) best(attempts []attempt, limit int) (places []int32) {
	seen := map[int32]bool{}
	for _, a := range attempts {
		var fit []int32
		for _, n := range a.places {
			if s.shown(n) && !seen[s.nodes[n].content] {
				fit = append(fit, n)
			}
		}
		// nodes stand in the order of byLeft, and are wanted in that of inTreeOrder
		slices.SortStableFunc(fit, func(a, b int32) int { return cmp.Compare(s.nodes[a].tree, s.nodes[b].tree) })
		for _, n := range fit[:min(2*limit, len(fit))] {
			if len(places) >= limit {
				return places
			}
			if content := s.nodes[n].content; !seen[content] {
				seen[content] = true
				places = append(places, n)
			}
		}
	}
	return places
}

// count tells how many contents fit in one of the ways, and the channels and kinds of their nodes.
func (s indexSearch) count(attempts []attempt) (contents int64, channels, kinds []string) {
	seen, looked := make([]bool, len(s.nodes)), make([]bool, len(s.nodes))
	inChannels, ofKinds := make([]bool, len(s.channels)), make([]bool, len(s.kinds))
	look := func(n int32) {
		if looked[n] || !s.shown(n) {
			return
		}
		looked[n] = true
		node := s.nodes[n]
		inChannels[node.channel], ofKinds[node.kind] = true, true
		if !seen[node.content] {
			seen[node.content] = true
			contents++
		}
	}
	for _, a := range attempts {
		for _, n := range a.places {
			look(n)
		}
	}
	if len(attempts) == 0 {
		for n := range s.nodes {
			look(int32(n))
		}
	}
	return contents, chosen(s.channels, inChannels), chosen(s.kinds, ofKinds)
}

// chosen are the marked texts of a list, in order.
func chosen(all []string, marked []bool) []string {
	out := []string{}
	for i, text := range all {
		if marked[i] {
			out = append(out, text)
		}
	}
	slices.Sort(out)
	return out
}
