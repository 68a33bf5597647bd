package auth_test

import (
	"testing"

	"kolibri/server/servertest"
)

// What holds on SQLite holds on PostgreSQL.
func TestOnPostgreSQL(t *testing.T) {
	pg := servertest.StartPostgres(t)
	for _, suite := range []struct {
		name string
		test func(*testing.T, *servertest.World)
	}{
		{"ladder", climb}, {"lists", lists}, {"rows", compareRows}, {"deletions", compareDeletions},
		{"collections", collections}, {"memberships", membershipBounds}, {"roles", roleBounds},
		{"facilities", facilities}, {"pictures", handOutPictures}, {"deleting", deleteFacility}, {"deleting by job", deleteByJob},
		{"sign-in", signInAnswers}, {"passwordless", passwordlessLearners}, {"picture passwords", picturePasswords}, {"users", whoWritesUsers},
		{"names", namesInEveryScript}, {"user lists", listsOfUsers}, {"deleted users", deletedUsers}, {"imported users", importedUserLeaves},
	} {
		t.Run(suite.name, func(t *testing.T) { suite.test(t, servertest.NewWorld(t, pg.Option(t))) })
	}
}
