//go:build !js

package provider

import (
	"context"
	"errors"
	"net/http"
	"time"

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

const (
	// keepPictures is how long a picture is kept that no answer has; prunePictures how often they are looked through.
	keepPictures  = 90 * 24 * time.Hour
	prunePictures = 24 * time.Hour
)

// prune removes pictures that nobody has been told of for long, until the context ends.
func (s *Service) prune(ctx context.Context) {
	timer := time.NewTicker(prunePictures)
	defer timer.Stop()
	for {
		n, err := s.pictures.Prune(ctx, time.Now().Add(-keepPictures))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.config.Log.Warn("old pictures were not removed", "error", err)
		case n > 0:
			s.config.Log.Info("old pictures were removed", "pictures", n)
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
	}
}

// picture serves a hosted picture to browsers, which show no token: its address is the hash of what it shows.
func (s *Service) picture(w http.ResponseWriter, r *http.Request) {
	if after, ok := s.limits.allow(r); !ok {
		s.fail(w, r, tooMany(after))
		return
	}
	s.pictures.ServeHTTP(w, r)
}
