package api

// Session is the server-side state of one browser (kolibri/core/auth/models.py: Session). The
// server loads it before a handler runs and saves it afterwards if it was changed.
type Session struct {
	// Key is the cookie's value; empty while nothing has been saved.
	Key string
	// UserID is the signed-in user's id, or empty.
	UserID string
	values map[string]string

	// Modified asks for saving, Renewed for a new key (after signing in), Flushed for deletion.
	Modified, Renewed, Flushed bool

	// Unknown tells that the browser named a session that is not known, or not any more, as when its
	// user was deleted.
	Unknown bool
}

// NewSession returns the session of a browser that has none.
func NewSession() *Session { return &Session{values: map[string]string{}} }

// LoadSession makes a session from what was saved.
func LoadSession(key, userID string, values map[string]string) *Session {
	if values == nil {
		values = map[string]string{}
	}
	return &Session{Key: key, UserID: userID, values: values}
}

// Get reads a value, such as the chosen language.
func (s *Session) Get(name string) string { return s.values[name] }

// Set stores a value.
func (s *Session) Set(name, value string) {
	s.values[name] = value
	s.Modified = true
}

// Unset forgets a value.
func (s *Session) Unset(name string) {
	if _, ok := s.values[name]; ok {
		delete(s.values, name)
		s.Modified = true
	}
}

// Values returns all values, for saving.
func (s *Session) Values() map[string]string { return s.values }

// SignIn makes the session that of a user. The key changes, so that a key known before
// authentication is worth nothing afterwards.
func (s *Session) SignIn(userID string) {
	if s.UserID != "" && s.UserID != userID {
		s.values = map[string]string{}
	}
	s.UserID, s.Modified, s.Renewed, s.Flushed = userID, true, true, false
}

// Flush ends the session and forgets everything in it.
func (s *Session) Flush() {
	s.UserID, s.values = "", map[string]string{}
	s.Flushed = true
}
