package canvas

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kolibri/provider/platform"
	"kolibri/provider/session"
	"kolibri/provider/upstream"
)

const (
	tokenPath = "/login/oauth2/token"
	// early is how long before its end a token is exchanged.
	early = 2 * time.Minute
	// lifetime is a token's when Canvas does not say.
	lifetime = time.Hour
	// lookAfter is how often a token that does not end is tried.
	lookAfter = time.Hour
)

// Grants keep what users allowed.
type Grants interface {
	// Grant returns one, or false.
	Grant(ctx context.Context, user string) (Grant, bool, error)
	SaveGrant(ctx context.Context, user string, g Grant) error
	DeleteGrant(ctx context.Context, user string) error
}

// Grant is what a user allowed: a token that lasts, and perhaps one that is good at once.
type Grant struct {
	RefreshToken string    `json:"refresh_token"`
	AccessToken  string    `json:"access_token"`
	Expires      time.Time `json:"expires"`
}

// access is a session.
type access struct {
	token string
	ends  time.Time // zero: it does not
}

// authority gives the sessions of one user. https://canvas.instructure.com/doc/api/file.oauth.html
type authority struct {
	canvas *Canvas
	user   string
}

// Due implements session.Authority.
func (a *authority) Due(s access) time.Duration {
	if s.ends.IsZero() {
		return lookAfter
	}
	return max(time.Until(s.ends)-early, time.Second)
}

// SignIn implements session.Authority.
func (a *authority) SignIn(ctx context.Context) (access, error) {
	if a.user == "" && a.canvas.account.AccessToken != "" {
		s := access{token: a.canvas.account.AccessToken}
		return s, a.try(ctx, s)
	}
	g, ok, err := a.canvas.grants.Grant(ctx, a.user)
	if err != nil {
		return access{}, err
	}
	if !ok {
		return access{}, platform.ErrConsent
	}
	if g.AccessToken != "" && time.Until(g.Expires) > early {
		s := access{g.AccessToken, g.Expires}
		if err := a.try(ctx, s); !errors.Is(err, platform.ErrCredentials) {
			return s, err
		}
	}
	return a.refresh(ctx, g)
}

// Renew implements session.Authority: a token near its end is exchanged, another one is tried.
func (a *authority) Renew(ctx context.Context, s access) (access, error) {
	if !s.ends.IsZero() && time.Until(s.ends) <= early+time.Second {
		return s, session.ErrEnded
	}
	if err := a.try(ctx, s); err != nil {
		if errors.Is(err, platform.ErrCredentials) {
			return s, session.ErrEnded
		}
		return s, err
	}
	return s, nil
}

// try asks whose token it is.
func (a *authority) try(ctx context.Context, s access) error {
	r, err := upstream.JSON(ctx, http.MethodGet, a.canvas.client.URL(apiPath+"users/self", nil), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := a.canvas.client.Do(r)
	if errors.Is(err, platform.ErrForbidden) {
		return platform.ErrCredentials
	}
	if err != nil {
		return err
	}
	var self struct{ ID id }
	return upstream.Decode(answer, &self)
}

func (a *authority) refresh(ctx context.Context, g Grant) (access, error) {
	made, err := a.canvas.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {g.RefreshToken}})
	if errors.Is(err, platform.ErrConsent) {
		// taken back by the user or in Canvas: of no use any more
		return access{}, errors.Join(err, a.canvas.grants.DeleteGrant(ctx, a.user))
	}
	if err != nil {
		return access{}, err
	}
	if made.RefreshToken == "" { // Canvas leaves it as it is
		made.RefreshToken = g.RefreshToken
	}
	return access{made.AccessToken, made.Expires}, a.canvas.grants.SaveGrant(ctx, a.user, made)
}

// token asks the token endpoint.
func (c *Canvas) token(ctx context.Context, fields url.Values) (g Grant, err error) {
	fields.Set("client_id", c.account.ClientID)
	fields.Set("client_secret", c.account.ClientSecret)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.client.URL(tokenPath, nil), strings.NewReader(fields.Encode()))
	if err != nil {
		return g, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := c.client.Do(r)
	var status *upstream.StatusError
	if errors.As(err, &status) && status.Status < 500 && status.Status != http.StatusTooManyRequests {
		var reason struct{ Error string }
		if json.Unmarshal([]byte(status.Text), &reason) == nil {
			switch reason.Error {
			case "invalid_grant":
				return g, platform.ErrConsent
			case "invalid_client", "unauthorized_client":
				return g, platform.ErrCredentials
			}
		}
	}
	if err != nil {
		return g, err
	}
	var made struct {
		AccessToken  string  `json:"access_token"`
		RefreshToken string  `json:"refresh_token"`
		ExpiresIn    float64 `json:"expires_in"`
	}
	if err := upstream.Decode(answer, &made); err != nil {
		return g, err
	}
	if made.AccessToken == "" {
		return g, platform.ErrMalformed
	}
	life := lifetime
	if made.ExpiresIn > 0 && made.ExpiresIn < 1e9 {
		life = time.Duration(made.ExpiresIn * float64(time.Second))
	}
	return Grant{AccessToken: made.AccessToken, RefreshToken: made.RefreshToken, Expires: time.Now().Add(life)}, nil
}

// ConsentURL is where a user's browser goes to allow access; Canvas sends it on to redirect with a code and the state.
func (c *Canvas) ConsentURL(redirect, state string) string {
	return c.client.URL("/login/oauth2/auth", url.Values{"client_id": {c.account.ClientID}, "response_type": {"code"},
		"redirect_uri": {redirect}, "state": {state}})
}

// Exchange turns the code that Canvas gave a user's browser into a session.
func (c *Canvas) Exchange(ctx context.Context, user, code, redirect string) error {
	g, err := c.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	if err != nil {
		return err
	}
	if g.RefreshToken == "" {
		return platform.ErrMalformed
	}
	if err := c.grants.SaveGrant(ctx, user, g); err != nil {
		return err
	}
	c.renewed(user)
	return nil
}
