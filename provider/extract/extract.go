//go:build unix

// Package extract takes the text out of documents: PDF, EPUB, zipped and plain HTML. Documents come
// from anywhere, and readers of PDF hang or eat memory on some; so they are read in a process of their
// own, which has limits of time and memory and ends without anybody else noticing.
package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"kolibri/provider/text"
)

// Limits of one document.
const (
	MaxText   = 1 << 20          // bytes of text; the rest of a longer document is left out
	maxMemory = 512 << 20        // bytes that the process may write to
	maxTime   = 20 * time.Second // of the processor's
	longest   = 2 * time.Minute  // from beginning to end, whatever else the machine does
)

// ErrRefused is wrapped by errors that say why a document has no text that can be read; asking again
// does not help.
var ErrRefused = errors.New("the document cannot be read")

func refused(why string) error { return fmt.Errorf("%w: %s", ErrRefused, why) }

// Extractor reads documents. Command is how a program is called that runs Child: this one's path and
// arguments. Timeout is from beginning to end. No more than two documents are read at once.
type Extractor struct {
	Command []string
	Timeout time.Duration
	turns   chan struct{}
}

// New makes an Extractor whose child process is called by command.
func New(command ...string) *Extractor {
	return &Extractor{Command: command, Timeout: longest, turns: make(chan struct{}, 2)}
}

// exitRefused is the child's exit code for what is no fault of its own.
const exitRefused = 3

// Text returns a document's text, cleaned. The error wraps ErrRefused, or says that the child could not
// be started, or is the context's.
func (e *Extractor) Text(ctx context.Context, document *os.File) (string, error) {
	select {
	case e.turns <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-e.turns }()
	limited, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	child := exec.CommandContext(limited, e.Command[0], e.Command[1:]...)
	// a file of its own: the child moves its place in it
	in, err := os.Open(document.Name())
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, errs := &limitedBuffer{left: MaxText}, &limitedBuffer{left: 300}
	child.Stdin, child.Stdout, child.Stderr = in, out, errs
	child.Env = []string{"GOMEMLIMIT=384MiB", "GOMAXPROCS=1", "GOTRACEBACK=none", childMark + "=1"}
	child.WaitDelay = time.Second
	err = child.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return text.Clean(out.String()), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", refused("it takes too long")
	case errors.As(err, &exit) && exit.ExitCode() == exitRefused:
		return "", refused(strings.TrimSpace(errs.String()))
	case errors.As(err, &exit):
		return "", refused("its reader failed, or needed too much memory or time")
	}
	return "", err
}

// childMark is in the environment of the child.
const childMark = "KOLIBRI_EXTRACT_CHILD"

// IsChild tells whether this process was started by an Extractor, and should run Child and end.
func IsChild() bool { return os.Getenv(childMark) != "" }

// Child reads the document on standard input, writes its text to standard output and returns the exit
// code. It takes the process' rights to time and memory away first.
func Child() int {
	for resource, most := range map[int]uint64{
		syscall.RLIMIT_DATA: maxMemory, syscall.RLIMIT_CPU: uint64(maxTime / time.Second), syscall.RLIMIT_FSIZE: 0, syscall.RLIMIT_CORE: 0,
	} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			fmt.Fprintln(os.Stderr, "limits cannot be set")
			return 1
		}
	}
	out := &limitedWriter{w: os.Stdout, left: MaxText}
	err := read(out, os.Stdin)
	if err != nil && !errors.Is(err, errEnough) {
		fmt.Fprintln(os.Stderr, err)
		return exitRefused
	}
	return 0
}

// read writes the text of a document, whose kind is known by its first bytes.
func read(w io.Writer, f *os.File) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is damaged")
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	head := make([]byte, 1024)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	switch head = head[:n]; {
	case n == 0:
		return errors.New("it is empty")
	case bytes.Contains(head, []byte("%PDF-")):
		return readPDF(w, f, info.Size())
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return readZip(w, f, info.Size())
	case looksLikeHTML(head):
		return readHTML(w, io.NewSectionReader(f, 0, info.Size()))
	}
	return errors.New("its type is not known")
}

func looksLikeHTML(head []byte) bool {
	head = bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	for _, start := range []string{"<!doctype html", "<html", "<head", "<body", "<?xml", "<!--", "<p", "<div", "<h1"} {
		if bytes.HasPrefix(head, []byte(start)) {
			return true
		}
	}
	return false
}

// errEnough: the limit of text is reached, and reading on would be in vain.
var errEnough = errors.New("enough text")

type limitedWriter struct {
	w    io.Writer
	left int
}

// Write implements io.Writer.
func (l *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > l.left {
		_, _ = l.w.Write(p[:l.left])
		l.left = 0
		return 0, errEnough
	}
	l.left -= len(p)
	return l.w.Write(p)
}

// limitedBuffer keeps the beginning of what is written.
type limitedBuffer struct {
	bytes.Buffer
	left int
}

// Write implements io.Writer.
func (l *limitedBuffer) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.Buffer.Write(p[:n])
	return len(p), nil
}
