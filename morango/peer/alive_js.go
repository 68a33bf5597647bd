package peer

// alive: a browser has no processes, and one worker only.
func alive(int64) bool { return false }
