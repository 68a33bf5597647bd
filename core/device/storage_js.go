package device

// A browser has no directories that a person could name.
func isDirectory(string) bool { return false }
func writable(string) bool    { return false }
