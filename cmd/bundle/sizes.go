package main

import (
	"fmt"
	"io"
	"path"
	"strings"
)

// printSizes shows what a host will store and send, raw and in the two compressed forms. A file
// without a compressed form counts as it is.
func printSizes(w io.Writer, s state) {
	groups := []struct {
		name string
		has  func(p string) bool
	}{
		{"static, fonts", func(p string) bool { return strings.HasPrefix(p, "static/assets/fonts/") }},
		{"static, the rest", func(p string) bool {
			return strings.HasPrefix(p, "static/") && !strings.HasPrefix(p, "static/assets/fonts/")
		}},
		{"channel", func(p string) bool { return strings.HasPrefix(p, "content/") || strings.HasPrefix(p, "api/") }},
		{"data and messages", func(p string) bool { return strings.HasPrefix(p, "data/") }},
		{"server (wasm)", func(p string) bool { return path.Ext(p) == ".wasm" }},
		{"empty database", func(p string) bool { return path.Ext(p) == ".sqlite3" }},
		{"shell and scripts", func(string) bool { return true }},
	}
	all := map[string]int64{}
	for _, st := range s.Steps {
		for p, f := range st.Files {
			all[p] = f.Size
		}
	}
	type sum struct{ files, raw, gz, br int64 }
	sums := make([]sum, len(groups))
	for p, size := range all {
		plain := strings.TrimSuffix(strings.TrimSuffix(p, ".gz"), ".br")
		if _, sibling := all[plain]; sibling && plain != p {
			continue
		}
		for i, g := range groups {
			if !g.has(p) {
				continue
			}
			sums[i].files++
			sums[i].raw += size
			sums[i].gz += orRaw(all, p, ".gz")
			sums[i].br += orRaw(all, p, ".br")
			break
		}
	}
	fmt.Fprintf(w, "%-20s %6s %10s %10s %10s\n", "MB", "files", "raw", "gzip", "brotli")
	mb := func(n int64) float64 { return float64(n) / 1e6 }
	for i, g := range groups {
		s := sums[i]
		fmt.Fprintf(w, "%-20s %6d %10.2f %10.2f %10.2f\n", g.name, s.files, mb(s.raw), mb(s.gz), mb(s.br))
	}
}

func orRaw(all map[string]int64, p, form string) int64 {
	if n, ok := all[p+form]; ok {
		return n
	}
	return all[p]
}
