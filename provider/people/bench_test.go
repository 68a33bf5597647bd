//go:build linux

package people

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkMatch compares two schools of 50,000 that have half of their people in common, a third of
// these with a misspelt name.
func BenchmarkMatch(b *testing.B) {
	p := open(b)
	r := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		s := ""
		for range 2 + r.IntN(2) {
			s += string(rune('a' + r.IntN(26)))
			for range 1 + r.IntN(3) {
				s += string("bdgklmnrst"[r.IntN(10)]) + string("aeiou"[r.IntN(5)])
			}
			s += " "
		}
		return s
	}
	var one, two []Person
	for i := range 50_000 {
		u := Person{ID: fmt.Sprint(i), Name: name()}
		one = append(one, u)
		switch {
		case i%2 == 0:
			u.Name = name()
		case i%3 == 0:
			at := 1 + r.IntN(len(u.Name)-2)
			u.Name = u.Name[:at] + u.Name[at+1:]
		}
		two = append(two, u)
	}
	load(b, p, "one", one...)
	load(b, p, "two", two...)
	var before, after syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &before))
	for b.Loop() {
		n, err := p.Match(context.Background(), "one", "two")
		require.NoError(b, err)
		b.ReportMetric(float64(n), "suggestions")
	}
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &after))
	b.ReportMetric(float64(after.Utime.Nano()-before.Utime.Nano())/float64(b.N)/1e9, "processor-s/op")
	b.ReportMetric(float64(after.Maxrss)/1024, "MB-at-most")
}
