//go:build !js

package provider

import (
	"context"
	"errors"
	"net/http"

	"kolibri/provider/pictures"
	"kolibri/provider/platform"
)

const picturesPath = "/pictures/"

// hosted puts the address of a hosted picture in the place of one that is in the item itself. One that is none is left out.
func (s *Service) hosted(ctx context.Context, item any) (any, error) {
	c, ok := item.(platform.Course)
	if !ok || !pictures.IsData(c.IconURL) {
		return item, nil
	}
	address, err := s.pictures.Host(ctx, c.IconURL)
	if err != nil && !errors.Is(err, pictures.ErrRefused) {
		return nil, err
	}
	c.IconURL = address
	return c, nil
}

// picture serves a hosted picture to browsers, which show no token: its address is the hash of what it shows.
func (s *Service) picture(w http.ResponseWriter, r *http.Request) {
	if after, ok := s.limits.allow(r); !ok {
		s.fail(w, r, tooMany(after))
		return
	}
	s.pictures.ServeHTTP(w, r)
}
