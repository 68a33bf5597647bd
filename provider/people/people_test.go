//go:build !js

package people

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"kolibri/store"
	"kolibri/store/sqlite"
)

func open(t testing.TB) *People {
	db, err := sqlite.Open(context.Background(), filepath.Join(t.TempDir(), "p.sqlite3"), nil)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	p, err := Open(context.Background(), db)
	require.NoError(t, err)
	return p
}

func all(list ...Person) iter.Seq2[Person, error] {
	return func(yield func(Person, error) bool) {
		for i, u := range list {
			if u.ID == "" {
				u.ID = fmt.Sprint(i)
			}
			if !yield(u, nil) {
				return
			}
		}
	}
}

func load(t testing.TB, p *People, provider string, list ...Person) {
	_, err := p.Import(context.Background(), provider, all(list...))
	require.NoError(t, err)
}

func suggestions(t testing.TB, p *People, state string) []Suggestion {
	list, _, err := p.Suggestions(context.Background(), state, "", 1)
	require.NoError(t, err)
	return list
}

func TestNamesOfEveryScript(t *testing.T) {
	p := open(t)
	for _, tc := range []struct {
		name, a, b string
		want       bool
	}{
		{"the same", "Amina Diallo", "Amina Diallo", true},
		{"order and case", "DIALLO Amina", "Amina Diallo", true},
		{"a comma", "Diallo, Amina", "amina diallo", true},
		{"accents", "José Ñandú García", "Jose Nandu Garcia", true},
		{"letters of their own", "Søren Łukasz Weiß", "Soren Lukasz Weiss", true},
		{"Vietnamese", "Nguyễn Thị Hạnh", "NGUYEN THI HANH", true},
		{"Turkish", "Işıl İnan", "isil inan", true},
		{"an initial", "Maria L. Fernandez", "Maria Lucia Fernandez", true},
		{"a middle name", "Maria Lucia Fernandez", "Maria Fernandez", true},
		{"a letter missing", "Christopher Okonkwo", "Cristopher Okonkwo", true},
		{"letters turned around", "Wanjiku Kamau", "Wajniku Kamau", true},
		{"spaces", "De la Cruz Ana", "Delacruz Ana", true},
		{"Arabic: forms of letters and points", "أَحْمَد عبد الله", "احمد عبدالله", true},
		{"Arabic order", "فاطمة الزهراء", "الزهراء فاطمه", true},
		{"Persian", "علی کریمی", "علي كريمي", true},
		{"Hebrew", "שָׂרָה כֹּהֵן", "שרה כהן", true},
		{"Cyrillic", "Пётр Ильич Чайковский", "Чайковский Петр Ильич", true},
		{"Greek", "Γιώργος Παπαδόπουλος", "ΓΙΩΡΓΟΣ ΠΑΠΑΔΟΠΟΥΛΟΣ", true},
		{"Devanagari", "प्रिया शर्मा", "शर्मा प्रिया", true},
		{"Chinese", "王小明", "王 小明", true},
		{"Japanese: width and kana", "ヤマダ タロウ", "やまだ　ﾀﾛｳ", true},
		{"Korean", "김민준", "김 민준", true},
		{"Thai", "สมชาย ใจดี", "ใจดี สมชาย", true},
		{"Amharic", "አበበ ቢቂላ", "ቢቂላ አበበ", true},
		{"full width", "ＡＭＹ　ＬＥＥ", "Amy Lee", true},
		{"others", "Amina Diallo", "Kofi Mensah", false},
		{"one name in common", "Amina Diallo", "Amina Traoré", false},
		{"brothers", "Juma Otieno", "Omari Otieno", false},
		{"one of two", "Amina", "Amina Diallo", false},
		{"another family, Chinese", "王小明", "李小明", false},
		{"across scripts nothing is guessed", "Ahmed", "أحمد", false},
		{"no names", "", "", false},
		{"no letters", "??? !!", "???", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			load(t, p, "one", Person{ID: "1", Name: tc.a}, Person{ID: "2", Name: "Someone Else Entirely"})
			load(t, p, "two", Person{ID: "9", Name: tc.b})
			n, err := p.Match(t.Context(), "one", "two")
			require.NoError(t, err)
			require.Equal(t, tc.want, n == 1, "%v", suggestions(t, p, Undecided))
		})
	}
}

func TestEvidence(t *testing.T) {
	p := open(t)
	for _, tc := range []struct {
		name  string
		a, b  Person
		score float64 // that there is at least, 0 for no suggestion
		below float64
		field string
	}{
		{"identifier alone", Person{Identifier: "KE-00123"}, Person{Identifier: "ke 00123"}, 0.85, 1, "identifier"},
		{"email alone", Person{Email: "Jo@Example.org"}, Person{Email: "jo+school@example.org"}, 0.85, 1, "email"},
		{"identifier across scripts", Person{Name: "أحمد", Identifier: "٠٠١٢٣"}, Person{Name: "Ahmed", Identifier: "00123"}, 0.85, 1, "identifier"},
		{"name and username", Person{Name: "Ana Silva", Username: "asilva"}, Person{Name: "Ana Silva", Username: "ASilva"}, 0.8, 1, "name"},
		{"a username that is a name", Person{Username: "ana.silva"}, Person{Name: "Ana Silva", Username: "as1"}, 0.5, 0.8, "name"},
		{"the same name, other numbers", Person{Name: "Ana Silva", Identifier: "1001"}, Person{Name: "Ana Silva", Identifier: "1002"}, 0, 0.5, ""},
		{"username alone", Person{Username: "student1"}, Person{Username: "student1"}, 0, 0.5, ""},
		{"the same email, other names", Person{Name: "Ana Silva", Email: "family@example.org"}, Person{Name: "Rui Costa", Email: "family@example.org"}, 0.5, 0.7, "email"},
		{"short identifiers", Person{Identifier: "1"}, Person{Identifier: "1"}, 0, 0.5, ""},
		{"no email", Person{Email: "none"}, Person{Email: "none"}, 0, 0.5, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			load(t, p, "one", tc.a)
			load(t, p, "two", tc.b)
			_, err := p.Match(t.Context(), "one", "two")
			require.NoError(t, err)
			list := suggestions(t, p, Undecided)
			if tc.score == 0 {
				require.Empty(t, list)
				return
			}
			require.Len(t, list, 1)
			require.GreaterOrEqual(t, list[0].Score, tc.score)
			require.Less(t, list[0].Score, tc.below)
			fields := []string{}
			for _, r := range list[0].Reasons {
				require.NotEmpty(t, r.Text)
				fields = append(fields, r.Field)
			}
			require.Contains(t, fields, tc.field)
		})
	}
}

func TestNothingIsMergedUnaskedAndAllIsUndone(t *testing.T) {
	ctx := context.Background()
	p := open(t)
	ana := Person{ID: "ana", Name: "Ana Silva", Email: "ana@example.org"}
	for _, provider := range []string{"one", "two", "three"} {
		load(t, p, provider, ana)
	}
	for _, pair := range [][2]string{{"one", "two"}, {"two", "three"}} {
		_, err := p.Match(ctx, pair[0], pair[1])
		require.NoError(t, err)
	}
	same := func(want int) {
		list, err := p.Same(ctx, "one", "ana")
		require.NoError(t, err)
		require.Len(t, list, want)
	}
	same(1)
	list := suggestions(t, p, Undecided)
	require.Len(t, list, 2)
	for i, s := range list {
		g, err := p.Decide(ctx, s.ID, Accepted)
		require.NoError(t, err)
		require.Equal(t, Accepted, g.State)
		require.NotNil(t, g.Decided)
		same(i + 2)
	}
	require.Empty(t, suggestions(t, p, Undecided))
	// matching again, whichever way round, leaves decisions alone
	_, err := p.Match(ctx, "two", "one")
	require.NoError(t, err)
	require.Len(t, suggestions(t, p, Accepted), 2)
	g, err := p.Decide(ctx, list[0].ID, Undecided)
	require.NoError(t, err)
	require.Nil(t, g.Decided)
	require.Len(t, suggestions(t, p, Undecided), 1)
	_, err = p.Decide(ctx, list[0].ID, Rejected)
	require.NoError(t, err)
	_, err = p.Match(ctx, "one", "two")
	require.NoError(t, err)
	require.Len(t, suggestions(t, p, Rejected), 1)
	require.Empty(t, suggestions(t, p, Undecided))
	_, err = p.Decide(ctx, 1<<40, Accepted)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = p.Decide(ctx, list[0].ID, "merged")
	require.ErrorIs(t, err, ErrState)
	_, err = p.Same(ctx, "one", "nobody")
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = p.Match(ctx, "one", "one")
	require.ErrorIs(t, err, ErrSame)
}

func TestImportFollowsTheProvider(t *testing.T) {
	ctx := context.Background()
	p := open(t)
	load(t, p, "one", Person{ID: "1", Name: "Ana Silva"}, Person{ID: "2", Name: "Rui Costa"})
	load(t, p, "two", Person{ID: "1", Name: "Ana Silva"}, Person{ID: "2", Name: "Rui Costa"})
	_, err := p.Match(ctx, "one", "two")
	require.NoError(t, err)
	require.Len(t, suggestions(t, p, Undecided), 2)
	broken := errors.New("broken")
	_, err = p.Import(ctx, "one", func(yield func(Person, error) bool) { yield(Person{}, broken) })
	require.ErrorIs(t, err, broken)
	require.Len(t, suggestions(t, p, Undecided), 2)
	load(t, p, "one", Person{ID: "1", Name: "Another Name"})
	require.Len(t, suggestions(t, p, Undecided), 1)
	_, err = p.Match(ctx, "one", "two")
	require.NoError(t, err)
	require.Empty(t, suggestions(t, p, Undecided), "nothing speaks for it any more")
	require.NoError(t, p.Forget(ctx, "one"))
	_, err = p.Same(ctx, "one", "1")
	require.ErrorIs(t, err, store.ErrNotFound)
}

// A name that many have does not make every pair of them a suggestion.
func TestCommonNames(t *testing.T) {
	p := open(t)
	var one, two []Person
	for i := range 300 {
		one = append(one, Person{Name: "Mohamed Ali", Identifier: fmt.Sprint(10_000 + i)})
		two = append(two, Person{Name: "Mohamed Ali", Identifier: fmt.Sprint(10_000 + i)})
	}
	load(t, p, "one", one...)
	load(t, p, "two", two...)
	n, err := p.Match(t.Context(), "one", "two")
	require.NoError(t, err)
	require.Equal(t, 300, n)
}

func FuzzCompare(f *testing.F) {
	f.Add("Ana Silva", "Silva Ána", "a.silva")
	f.Add("王小明", "王 小明", "x@y.z")
	f.Fuzz(func(t *testing.T, x, y, z string) {
		a := newAccount(Person{Name: x, Username: z, Email: y})
		b := newAccount(Person{Name: y, Username: x, Email: z})
		one, _ := compare(&a, &b, true)
		other, _ := compare(&b, &a, true)
		require.InDelta(t, one, other, 0.15)
		require.GreaterOrEqual(t, one, 0.0)
		require.LessOrEqual(t, one, 1.0)
		a.keys(func(string) {})
	})
}
