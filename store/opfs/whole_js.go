package opfs

import (
	"context"
	"io"
	"path"
	"time"
)

// chunk is how much of a file is copied before messages of the page get through.
const chunk = 1 << 20

// Probe implements tab.Files.
func (fs *fileSystem) Probe(ctx context.Context) error {
	_, err := call(ctx, "probe")
	return err
}

// ReadTo implements tab.Files.
func (fs *fileSystem) ReadTo(ctx context.Context, name string, w io.Writer) error {
	fs.mu.Lock()
	f := fs.open[name]
	fs.mu.Unlock()
	if f == nil || f.kept {
		var err error
		if f, err = fs.openFile(name, false); err != nil {
			return err
		}
		f.kind = plainFile
		defer f.Close()
	}
	return f.copyTo(ctx, w)
}

func (f *file) copyTo(ctx context.Context, w io.Writer) error {
	buffer := make([]byte, min(chunk, max(f.size, 1)))
	for off := int64(0); off < f.size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(buffer[:min(int64(len(buffer)), f.size-off)], off)
		if n == 0 {
			return err
		}
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		off += int64(n)
		time.Sleep(time.Millisecond)
	}
	return nil
}

// WriteFrom implements tab.Files.
func (fs *fileSystem) WriteFrom(ctx context.Context, name string, r io.Reader) error {
	f, err := fs.openFile(name, true)
	if err != nil {
		return err
	}
	f.kind = plainFile
	err = f.fill(ctx, r)
	if failed := f.Close(); err == nil {
		err = failed
	}
	if err != nil {
		_ = fs.Remove(context.WithoutCancel(ctx), name)
	}
	return err
}

func (f *file) fill(ctx context.Context, r io.Reader) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	buffer := make([]byte, chunk)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := io.ReadFull(r, buffer)
		if err := f.handle.writeAt(buffer[:n], f.size); err != nil {
			return err
		}
		f.size += int64(n)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return f.handle.flush()
		}
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// Rename implements tab.Files; both names are in the same directory.
func (fs *fileSystem) Rename(ctx context.Context, from, to string) error {
	dir, base := path.Split(from)
	if err := fs.listed(dir); err != nil {
		return err
	}
	if _, err := call(ctx, "rename", dir, base, path.Base(to)); err != nil {
		return err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.note(from, false)
	fs.note(to, true)
	return nil
}

// Remove implements tab.Files.
func (fs *fileSystem) Remove(ctx context.Context, name string) error {
	dir, base := path.Split(name)
	if err := fs.listed(dir); err != nil {
		return err
	}
	if _, err := call(ctx, "remove", dir, base); err != nil {
		return err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.note(name, false)
	return nil
}
