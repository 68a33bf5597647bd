package jobs

import (
	"context"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/store"
)

// hashPasswords derives the keys of the new passwords by the numbers of their lines: some tens of
// milliseconds each, on all processors, outside of any transaction.
func hashPasswords(ctx context.Context, host *api.Host, changes []change, done func() error) (map[int]string, error) {
	keys := make([]string, len(changes))
	results := make(chan int)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(4, runtime.NumCPU())) // a browser derives them on threads of its own
	go func() {
		for i, c := range changes {
			if c.password == "*" {
				continue
			}
			g.Go(func() (err error) {
				if err = ctx.Err(); err != nil {
					return err
				}
				keys[i], err = auth.HashPassword(ctx, host.Hasher, host.Rand, c.password)
				results <- i
				return err
			})
		}
		_ = g.Wait()
		close(results)
	}()
	var stop error
	for range results {
		if stop == nil {
			if stop = done(); stop != nil {
				cancel()
			}
		}
	}
	if err := g.Wait(); stop == nil && err != nil {
		return nil, err
	}
	byLine := map[int]string{}
	for i, c := range changes {
		byLine[c.number] = keys[i]
	}
	return byLine, stop
}

// importer writes a plan.
type importer struct {
	tx     *store.Tx
	random io.Reader
	f      *auth.Collection
	keys   map[int]string
	// users are the ids of new and changed accounts by the numbers of their lines.
	users   map[int]string
	classes map[string]*auth.Collection
	// pause lets the rest of the server breathe, and ends a job that is cancelled.
	pause func() error
}

// apply does what the plan says, all of it or nothing.
func (m *importer) apply(p *plan, by string) error {
	for _, step := range []func(*plan) error{
		func(p *plan) error { return auth.PurgeUsers(m.tx, morango.Delete, p.remove...) },
		m.clearClasses,
		m.createUsers,
		func(p *plan) error { return m.updateUsers(p, by) },
		m.addRoles,
		m.createClasses,
		m.enrol,
		m.withdraw,
	} {
		if err := step(p); err != nil {
			return err
		}
		if err := m.pause(); err != nil {
			return err
		}
	}
	return nil
}

// clearClasses takes the members from the classes that the file does not name, and leaves the
// classes for their lessons' and quizzes' sake.
func (m *importer) clearClasses(p *plan) error {
	if p.remove == nil {
		return nil
	}
	ids, err := m.tx.Strings(`SELECT m.id FROM kolibriauth_membership m JOIN kolibriauth_collection c ON c.id = m.collection_id
		WHERE c.id IN ? OR c.parent_id IN ?`, store.In(p.clear), store.In(p.clear))
	if err != nil {
		return err
	}
	return morango.DeleteRows(m.tx, morango.Delete, morango.Membership.Table, ids...)
}

func (m *importer) createUsers(p *plan) error {
	for chunk := range slices.Chunk(p.create, 500) {
		users := make([]auth.NewUser, 0, len(chunk))
		for _, c := range chunk {
			users = append(users, auth.NewUser{Username: c.username, FullName: c.fullName, Password: m.keys[c.number],
				Gender: c.gender, BirthYear: c.birthYear, IDNumber: c.identifier})
		}
		ids, err := auth.InsertUsers(m.tx, m.random, m.f, users...)
		if err != nil {
			return err
		}
		for i, c := range chunk {
			m.users[c.number] = ids[i]
		}
		if err := m.pause(); err != nil {
			return err
		}
	}
	return nil
}

// updateUsers changes accounts; one that was deleted is back. Whoever came in by an old password is
// out, but for the person who imports.
func (m *importer) updateUsers(p *plan, by string) error {
	var out []string
	for _, c := range p.update {
		row := morango.Row{"username": c.username, "full_name": c.fullName, "gender": c.gender, "birth_year": c.birthYear,
			"id_number": c.identifier, "date_deleted": nil}
		if key := m.keys[c.number]; key != "" {
			row["password"] = key
			if c.member.id != by {
				out = append(out, c.member.id)
			}
		}
		if err := morango.Update(m.tx, morango.FacilityUser, c.member.id, row); err != nil {
			return err
		}
		m.users[c.number] = c.member.id
	}
	for chunk := range slices.Chunk(out, 500) {
		if err := auth.DeleteSessions(m.tx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// addRoles gives new and changed accounts the role that their type says. Nobody loses one.
func (m *importer) addRoles(p *plan) error {
	for _, c := range slices.Concat(p.create, p.update) {
		for role, kind := range userTypes {
			if kind != c.kind || role == "" {
				continue
			}
			if err := auth.AddRole(m.tx, m.random, m.users[c.number], m.f, role); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *importer) createClasses(p *plan) error {
	for name, id := range p.classes {
		c, err := auth.LoadCollection(m.tx, id)
		if err != nil {
			return err
		}
		m.classes[name] = c
	}
	for _, name := range p.newClasses {
		c, err := auth.CreateCollection(m.tx, m.random, auth.KindClassroom, name, m.f)
		if err != nil {
			return err
		}
		m.classes[name] = c
	}
	return nil
}

// enrol puts new and changed accounts into their classes.
func (m *importer) enrol(p *plan) error {
	members := map[string][]string{}
	for _, c := range slices.Concat(p.create, p.update) {
		for _, name := range c.enrolled {
			members[name] = append(members[name], m.users[c.number])
		}
		for _, name := range c.assigned {
			if err := auth.AddRole(m.tx, m.random, m.users[c.number], m.classes[name], auth.Coach); err != nil {
				return err
			}
		}
	}
	for name, users := range members {
		if err := auth.AddMembers(m.tx, m.random, m.classes[name], users...); err != nil {
			return err
		}
		if err := m.pause(); err != nil {
			return err
		}
	}
	return nil
}

// withdraw takes the accounts that the file names out of the classes that it does not name for them.
func (m *importer) withdraw(p *plan) error {
	for chunk := range slices.Chunk(p.kept, 500) {
		users, enrolled, assigned := make([]string, 0, len(chunk)), map[[2]string]bool{}, map[[2]string]bool{}
		for _, c := range chunk {
			users = append(users, c.member.id)
			for _, name := range c.enrolled {
				enrolled[[2]string{c.member.id, m.classes[name].ID}] = true
			}
			for _, name := range c.assigned {
				assigned[[2]string{c.member.id, m.classes[name].ID}] = true
			}
		}
		// a group goes with its class
		const class = `CASE WHEN c.kind = 'classroom' THEN c.id ELSE c.parent_id END`
		for _, from := range []struct {
			model *morango.Model
			kinds string
			stay  map[[2]string]bool
		}{
			{morango.Membership, "c.kind <> 'facility'", enrolled},
			{morango.Role, "c.kind = 'classroom'", assigned},
		} {
			var ids []string
			err := store.ForEach(m.tx, func(row store.Scanner) error {
				var id string
				var place [2]string
				if err := row.Scan(&id, &place[0], &place[1]); err != nil {
					return err
				}
				if !from.stay[place] {
					ids = append(ids, id)
				}
				return nil
			}, "SELECT l.id, l.user_id, "+class+" FROM "+from.model.Table+" l JOIN kolibriauth_collection c ON c.id = l.collection_id WHERE "+
				from.kinds+" AND l.user_id IN ?", store.In(users))
			if err != nil {
				return err
			}
			if err := morango.DeleteRows(m.tx, morango.Delete, from.model.Table, ids...); err != nil {
				return err
			}
		}
	}
	return nil
}
