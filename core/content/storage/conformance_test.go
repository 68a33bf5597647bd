package storage_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/hack-pad/hackpadfs"
	"github.com/stretchr/testify/require"

	"kolibri/core/content/storage"
)

// source is a host of files that may break off, lie, or not know how to continue.
type source struct {
	files   map[string][]byte
	cut     int  // breaks off after so many bytes, once
	silent  bool // where it would break off it keeps silent instead
	noRange bool // sends all of it whatever is asked for
	asked   []string
}

func (s *source) Do(r *http.Request) (*http.Response, error) {
	s.asked = append(s.asked, r.Header.Get("Range"))
	data, there := s.files[strings.TrimPrefix(r.URL.Path, "/")]
	answer := &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}
	if !there {
		return answer, nil
	}
	answer.StatusCode = http.StatusOK
	if from, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok && !s.noRange {
		at, _ := strconv.Atoi(strings.TrimSuffix(from, "-"))
		if at >= len(data) {
			answer.StatusCode = http.StatusRequestedRangeNotSatisfiable
			return answer, nil
		}
		answer.StatusCode, data = http.StatusPartialContent, data[at:]
	}
	var body io.Reader = bytes.NewReader(data)
	if s.cut > 0 && s.cut < len(data) {
		end := io.Reader(broken{})
		if s.silent {
			end = silence{r.Context()}
		}
		body, s.cut = io.MultiReader(bytes.NewReader(data[:s.cut]), end), 0
	}
	answer.Body = io.NopCloser(body)
	return answer, nil
}

// broken is a connection that is lost.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

// silence is a connection on which nothing comes any more.
type silence struct{ ctx context.Context }

func (s silence) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// material is a file of n bytes and its name.
func material(n int) (name, sum string, data []byte) {
	data = make([]byte, n)
	for i := range data {
		data[i] = byte(i * 7 >> (i % 5))
	}
	digest := md5.Sum(data)
	sum = hex.EncodeToString(digest[:])
	name, _ = storage.FileName(sum, "mp4")
	return name, sum, data
}

// conform holds a content folder to what importing and serving need of it.
func conform(t *testing.T, folder func(t *testing.T) hackpadfs.FS) {
	ctx := t.Context()
	read := func(t *testing.T, s *storage.Store, name string) []byte {
		data, err := fs.ReadFile(s.FS, name)
		require.NoError(t, err)
		return data
	}
	fetch := func(s *storage.Store, name, sum string) error {
		return s.Fetch(ctx, "http://source.example/"+name, name, sum, func(int64) {})
	}
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 3<<20 + 17} {
		t.Run(strconv.Itoa(size)+" bytes arrive", func(t *testing.T) {
			name, sum, data := material(size)
			s := &storage.Store{FS: folder(t), HTTP: &source{files: map[string][]byte{name: data}}}
			_, err := s.Size(name)
			require.ErrorIs(t, err, fs.ErrNotExist)
			require.NoError(t, fetch(s, name, sum))
			n, err := s.Size(name)
			require.NoError(t, err)
			require.EqualValues(t, size, n)
			require.True(t, bytes.Equal(data, read(t, s, name)))
			names, err := s.Names("storage/" + sum[:1] + "/" + sum[1:2])
			require.NoError(t, err)
			require.Equal(t, map[string]bool{sum + ".mp4": true}, names, "nothing else is left")
			require.NoError(t, s.Remove(name))
			require.NoError(t, s.Remove(name), "twice is no error")
			_, err = s.Size(name)
			require.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
	for name, noRange := range map[string]bool{"a lost transfer goes on": false, "a lost transfer begins anew": true} {
		t.Run(name, func(t *testing.T) {
			name, sum, data := material(500_000)
			from := &source{files: map[string][]byte{name: data}, cut: 300_000, noRange: noRange}
			s := &storage.Store{FS: folder(t), HTTP: from}
			require.ErrorContains(t, fetch(s, name, sum), "connection lost")
			_, err := s.Size(name)
			require.ErrorIs(t, err, fs.ErrNotExist, "half a file is none")
			require.NoError(t, fetch(s, name, sum))
			require.Equal(t, []string{"", "bytes=300000-"}, from.asked)
			require.True(t, bytes.Equal(data, read(t, s, name)))
		})
	}
	t.Run("a source falls silent", func(t *testing.T) {
		name, sum, data := material(500_000)
		from := &source{files: map[string][]byte{name: data}, cut: 300_000, silent: true}
		s := &storage.Store{FS: folder(t), HTTP: from, Patience: 50 * time.Millisecond}
		require.ErrorIs(t, fetch(s, name, sum), storage.ErrSilent)
		s.Patience = 0
		require.NoError(t, fetch(s, name, sum))
		require.Equal(t, []string{"", "bytes=300000-"}, from.asked)
		require.True(t, bytes.Equal(data, read(t, s, name)))
	})
	t.Run("a damaged file is not kept", func(t *testing.T) {
		name, sum, data := material(100_000)
		bad := bytes.Clone(data)
		bad[5000]++
		from := &source{files: map[string][]byte{name: bad}}
		s := &storage.Store{FS: folder(t), HTTP: from}
		require.ErrorIs(t, fetch(s, name, sum), storage.ErrDamaged)
		names, err := s.Names("storage/" + sum[:1] + "/" + sum[1:2])
		require.NoError(t, err)
		require.Empty(t, names)
		from.files[name] = data
		require.NoError(t, fetch(s, name, sum))
		require.True(t, bytes.Equal(data, read(t, s, name)))
	})
	t.Run("a file that the source lacks", func(t *testing.T) {
		name, sum, _ := material(10)
		s := &storage.Store{FS: folder(t), HTTP: &source{}}
		require.ErrorIs(t, fetch(s, name, sum), storage.ErrMissing)
	})
	t.Run("a database is replaced whole", func(t *testing.T) {
		name := storage.DatabaseName(strings.Repeat("c", 32))
		from := &source{files: map[string][]byte{name: bytes.Repeat([]byte("old"), 50_000)}}
		s := &storage.Store{FS: folder(t), HTTP: from}
		require.NoError(t, fetch(s, name, ""))
		from.files[name] = []byte("new")
		require.NoError(t, fetch(s, name, ""))
		require.Equal(t, "new", string(read(t, s, name)))
	})
	t.Run("a file is copied from a drive", func(t *testing.T) {
		name, sum, data := material(200_000)
		s := &storage.Store{FS: folder(t)}
		drive := fstest.MapFS{"content/" + name: {Data: data}}
		require.NoError(t, s.Copy(ctx, drive, "content/"+name, name, sum, nil))
		require.True(t, bytes.Equal(data, read(t, s, name)))
		require.ErrorIs(t, s.Copy(ctx, drive, "content/other", name+"2", "", nil), storage.ErrMissing)
		given, stop := context.WithCancel(ctx)
		stop()
		require.ErrorIs(t, s.Copy(given, drive, "content/"+name, name+"3", "", nil), context.Canceled)
	})
	t.Run("files are read in place", func(t *testing.T) {
		name, sum, data := material(200_000)
		s := &storage.Store{FS: folder(t), HTTP: &source{files: map[string][]byte{name: data}}}
		require.NoError(t, fetch(s, name, sum))
		f, err := s.FS.Open(name)
		require.NoError(t, err)
		defer f.Close()
		part := make([]byte, 100)
		_, err = f.(io.ReaderAt).ReadAt(part, 65_500)
		require.NoError(t, err)
		require.Equal(t, data[65_500:65_600], part)
		n, err := f.(io.ReaderAt).ReadAt(part, 199_950)
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, data[199_950:], part[:n])
	})
	t.Run("no name leads out of the folder", func(t *testing.T) {
		s := &storage.Store{FS: folder(t)}
		for _, name := range []string{"../x", "/x", "storage/../../x"} {
			_, err := s.FS.Open(name)
			require.Error(t, err, name)
		}
	})
}
