// Package storage keeps content: the files of channels and their databases, in the layout of the
// original's content folder (kolibri/core/content/utils/paths.py), on any hackpadfs file system.
package storage

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/hack-pad/hackpadfs"
)

// Errors of a transfer that callers tell apart.
var (
	// ErrMissing: the source has no such file.
	ErrMissing = errors.New("the source does not have this file")
	// ErrDamaged: what arrived is not what the checksum says.
	ErrDamaged = errors.New("the file that arrived is damaged")
	// ErrSilent: the source keeps the connection and sends nothing.
	ErrSilent = errors.New("the source has stopped sending")
)

// StatusError is an answer of a source that is neither the file nor its absence.
type StatusError struct {
	URL    string
	Status int
}

// Error implements error.
func (e *StatusError) Error() string { return fmt.Sprintf("%s answered %d", e.URL, e.Status) }

// Outgoing sends requests to other servers: the host's own way (core/api.Outgoing).
type Outgoing interface {
	Do(*http.Request) (*http.Response, error)
}

// Store is a content folder. FS holds storage/ and databases/.
type Store struct {
	FS   hackpadfs.FS
	HTTP Outgoing
	// Attachable is the path by which the database reads a file of FS; nil where it cannot.
	Attachable func(name string) string
	// Patience is how long a source may send nothing; DefaultPatience when it is not set.
	Patience time.Duration
}

// DefaultPatience is the original's (kolibri/utils/file_transfer.py: Transfer.DEFAULT_TIMEOUT).
const DefaultPatience = 60 * time.Second

// FileName is the name of a stored file: its checksum and extension. It refuses what is no checksum
// or could lead elsewhere, since both come from channel databases.
func FileName(checksum, extension string) (string, error) {
	if len(checksum) != 32 || strings.Trim(checksum, "0123456789abcdef") != "" {
		return "", fmt.Errorf("%q is no checksum", checksum)
	}
	if extension == "" || strings.Trim(extension, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return "", fmt.Errorf("%q is no file extension", extension)
	}
	return "storage/" + checksum[:1] + "/" + checksum[1:2] + "/" + checksum + "." + extension, nil
}

// DatabaseName is the name of a channel's database.
func DatabaseName(channel string) string { return "databases/" + channel + ".sqlite3" }

// UpgradeName is the name of a newer edition's database, kept while its changes are looked at.
func UpgradeName(channel string) string { return "databases/" + channel + "-upgrade.sqlite3" }

// Size is how many bytes a file has, or fs.ErrNotExist.
func (s *Store) Size(name string) (int64, error) {
	info, err := hackpadfs.Stat(s.FS, name)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Names are the files of a folder; one that is not there has none.
func (s *Store) Names(dir string) (map[string]bool, error) {
	entries, err := hackpadfs.ReadDir(s.FS, dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := make(map[string]bool, len(entries))
	for _, e := range entries {
		names[e.Name()] = true
	}
	return names, nil
}

// Remove deletes a file; one that is gone already is no error.
func (s *Store) Remove(name string) error {
	err := hackpadfs.Remove(s.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Fetch brings a file from a URL. What arrived of it before an interruption is kept and continued.
// checksum, unless empty, is its MD5. progress hears of every stretch of bytes. The file appears
// under its name only when it is whole and right.
func (s *Store) Fetch(ctx context.Context, url, name, checksum string, progress func(int64)) error {
	part, sum, have, err := s.resume(name, checksum)
	if err != nil {
		return err
	}
	defer func() { _ = part.Close() }()
	ctx, heard, stop := s.listen(ctx)
	defer stop()
	body, have, err := s.open(ctx, url, have)
	if err != nil {
		return silent(ctx, err)
	}
	defer body.Close()
	if have == 0 {
		if err := restart(part, sum); err != nil {
			return err
		}
	}
	if err := pump(part, body, sum, func(n int64) {
		heard()
		if progress != nil {
			progress(n)
		}
	}); err != nil {
		return silent(ctx, err)
	}
	return s.accept(part, name, checksum, sum)
}

// listen ends a transfer of which nothing is heard for too long.
func (s *Store) listen(ctx context.Context) (_ context.Context, heard, stop func()) {
	patience := s.Patience
	if patience == 0 {
		patience = DefaultPatience
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(ErrSilent) })
	return ctx, func() { timer.Reset(patience) }, func() { timer.Stop(); cancel(nil) }
}

// silent names the cause of an error that silence has brought about.
func silent(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, ErrSilent) {
		return cause
	}
	return err
}

// Copy takes a file of another file system, such as a drive's.
func (s *Store) Copy(ctx context.Context, from fs.FS, source, name, checksum string, progress func(int64)) error {
	src, err := from.Open(source)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrMissing
	}
	if err != nil {
		return err
	}
	defer src.Close()
	return s.Put(ctx, src, name, checksum, progress)
}

// Put takes a file from a reader. The file appears under its name only when it is whole and right.
func (s *Store) Put(ctx context.Context, from io.Reader, name, checksum string, progress func(int64)) error {
	part, sum, _, err := s.resume(name, "")
	if err != nil {
		return err
	}
	defer func() { _ = part.Close() }()
	if err := pump(part, &interruptible{ctx, from}, sum, progress); err != nil {
		return err
	}
	return s.accept(part, name, checksum, sum)
}

// resume opens the unfinished file of a name, at its end, with the checksum of what it holds. Without
// a checksum to hold the whole against in the end, a transfer starts anew.
func (s *Store) resume(name, checksum string) (hackpadfs.File, hash.Hash, int64, error) {
	if err := hackpadfs.MkdirAll(s.FS, path.Dir(name), 0o755); err != nil {
		return nil, nil, 0, err
	}
	part, err := hackpadfs.OpenFile(s.FS, name+".transfer", hackpadfs.FlagReadWrite|hackpadfs.FlagCreate, 0o644)
	if err != nil {
		return nil, nil, 0, err
	}
	sum := md5.New()
	if checksum == "" {
		return part, sum, 0, restart(part, sum)
	}
	have, err := io.Copy(sum, part)
	if err != nil {
		_ = part.Close()
		return nil, nil, 0, err
	}
	return part, sum, have, nil
}

// open asks for the file from a position; a source that cannot continue sends it whole.
func (s *Store) open(ctx context.Context, url string, have int64) (io.ReadCloser, int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, 0, err
	}
	if have > 0 {
		request.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
	}
	response, err := s.HTTP.Do(request)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case response.StatusCode == http.StatusPartialContent && have > 0:
		return response.Body, have, nil
	case response.StatusCode == http.StatusOK:
		return response.Body, 0, nil
	}
	_ = response.Body.Close()
	switch {
	case response.StatusCode == http.StatusRequestedRangeNotSatisfiable && have > 0:
		return s.open(ctx, url, 0)
	case response.StatusCode == http.StatusNotFound:
		return nil, 0, ErrMissing
	}
	return nil, 0, &StatusError{url, response.StatusCode}
}

func restart(part hackpadfs.File, sum hash.Hash) error {
	sum.Reset()
	if err := hackpadfs.TruncateFile(part, 0); err != nil {
		return err
	}
	_, err := hackpadfs.SeekFile(part, 0, io.SeekStart)
	return err
}

func pump(part hackpadfs.File, body io.Reader, sum hash.Hash, progress func(int64)) error {
	buffer := make([]byte, 128<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			if _, err := hackpadfs.WriteFile(part, buffer[:n]); err != nil {
				return err
			}
			sum.Write(buffer[:n])
			if progress != nil {
				progress(int64(n))
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// accept holds a finished transfer against its checksum and gives it its name.
func (s *Store) accept(part hackpadfs.File, name, checksum string, sum hash.Hash) error {
	if err := part.Close(); err != nil {
		return err
	}
	if checksum != "" && hex.EncodeToString(sum.Sum(nil)) != checksum {
		return errors.Join(fmt.Errorf("%w: %s", ErrDamaged, name), s.Remove(name+".transfer"))
	}
	return hackpadfs.Rename(s.FS, name+".transfer", name)
}

// interruptible is a reader that ends when its context does.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	return i.Reader.Read(p)
}
