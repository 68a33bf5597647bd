package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hack-pad/hackpadfs"
)

// Media is the folder of files that the server makes for people and gets from them: exports in
// log_export, uploads in temp, as the original's default storage has them below its media folder.
// The zero value keeps nothing, which only tests of other things do without.
type Media struct{ FS hackpadfs.FS }

var errNoMedia = errors.New("this server has no folder for exported and uploaded files")

// ErrFileName refuses the name of a media file that could lead elsewhere.
var ErrFileName = errors.New("not a name for a file")

// MediaName makes the name of a file in a folder from a text that people chose, such as the name of
// a facility: what no file system takes is replaced, and it is cut to what all of them take. end is
// always kept.
func MediaName(folder, start, end string) string {
	const longest = 200 // bytes; file systems take 255, and a suffix while the file is written
	clean := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, c) {
			return '_'
		}
		return c
	}, start)
	for len(clean)+len(end) > longest {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	return path.Join(folder, clean+end)
}

// Save writes a file and puts it into the place of an older one when it is whole.
func (m Media) Save(name string, write func(io.Writer) error) (err error) {
	if m.FS == nil {
		return errNoMedia
	}
	if !fs.ValidPath(name) {
		return fmt.Errorf("%w: %q", ErrFileName, name)
	}
	if err := hackpadfs.MkdirAll(m.FS, path.Dir(name), 0o755); err != nil {
		return err
	}
	part := name + ".part"
	f, err := hackpadfs.OpenFile(m.FS, part, hackpadfs.FlagWriteOnly|hackpadfs.FlagCreate|hackpadfs.FlagTruncate, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = hackpadfs.Remove(m.FS, part)
		}
	}()
	w, ok := f.(io.Writer)
	if !ok {
		_ = f.Close()
		return errNoMedia
	}
	buffered := bufio.NewWriterSize(w, 64<<10)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return hackpadfs.Rename(m.FS, part, name)
}

// Open opens a file, or returns fs.ErrNotExist.
func (m Media) Open(name string) (fs.File, error) {
	if m.FS == nil || !fs.ValidPath(name) {
		return nil, fs.ErrNotExist
	}
	return m.FS.Open(name)
}

// Stat tells the size of a file and when it was written, or returns fs.ErrNotExist.
func (m Media) Stat(name string) (size int64, modified time.Time, err error) {
	if m.FS == nil || !fs.ValidPath(name) {
		return 0, time.Time{}, fs.ErrNotExist
	}
	info, err := hackpadfs.Stat(m.FS, name)
	if err != nil {
		return 0, time.Time{}, err
	}
	return info.Size(), info.ModTime().UTC(), nil
}

// Remove deletes a file; one that is gone already is no error.
func (m Media) Remove(name string) error {
	if m.FS == nil || !fs.ValidPath(name) {
		return nil
	}
	if err := hackpadfs.Remove(m.FS, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List returns the names of the files in a folder; one that is not there has none.
func (m Media) List(folder string) ([]string, error) {
	if m.FS == nil {
		return nil, nil
	}
	entries, err := hackpadfs.ReadDir(m.FS, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, path.Join(folder, e.Name()))
		}
	}
	return names, nil
}
