package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
)

// tokenAge is how long a sign-in token is good for (kolibri/core/utils/token_generator.py).
const tokenAge = 15 * time.Minute

// MakeToken makes a token with which a page can sign a user in without password for a quarter of an
// hour: a task hands it to the person who started it.
func MakeToken(h *api.Host, now time.Time, user string) string {
	return signToken(h, user, strconv.FormatInt(now.Unix(), 36))
}

func signToken(h *api.Host, user, moment string) string {
	mac := hmac.New(sha256.New, h.Secret)
	mac.Write([]byte("sign-in " + user + " " + moment))
	return moment + "-" + hex.EncodeToString(mac.Sum(nil))
}

// ValidToken tells whether a token was made for the user less than a quarter of an hour ago.
func ValidToken(h *api.Host, now time.Time, user, token string) bool {
	moment, _, ok := strings.Cut(token, "-")
	seconds, err := strconv.ParseInt(moment, 36, 64)
	if !ok || err != nil || user == "" || len(h.Secret) == 0 {
		return false
	}
	age := now.Sub(time.Unix(seconds, 0)).Abs()
	return age <= tokenAge && hmac.Equal([]byte(token), []byte(signToken(h, user, moment)))
}
