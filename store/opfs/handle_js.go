package opfs

import (
	"context"
	"errors"
	"fmt"
	"syscall/js"
	"unsafe"

	"kolibri/store"
	"kolibri/store/tab"
)

// Result codes of the imports; opfs.js knows the same numbers.
const (
	resultFailed = -1
	resultFull   = -2
)

//go:wasmimport opfs read
//go:noescape
func importRead(handle int32, p unsafe.Pointer, n int32, at float64) int32

//go:wasmimport opfs write
//go:noescape
func importWrite(handle int32, p unsafe.Pointer, n int32, at float64) int32

//go:wasmimport opfs truncate
func importTruncate(handle int32, size float64) int32

//go:wasmimport opfs flush
func importFlush(handle int32) int32

//go:wasmimport opfs size
func importSize(handle int32) float64

// handle is a synchronous access handle: a file that is open for this worker alone.
type handle int32

func (h handle) readAt(b []byte, off int64) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n := importRead(int32(h), unsafe.Pointer(&b[0]), int32(len(b)), float64(off))
	if n < 0 {
		return 0, resultError("read", n)
	}
	return int(n), nil
}

// writeAt writes all of b or returns an error; a short write means that the quota is used up.
func (h handle) writeAt(b []byte, off int64) error {
	if len(b) == 0 {
		return nil
	}
	n := importWrite(int32(h), unsafe.Pointer(&b[0]), int32(len(b)), float64(off))
	if n < 0 {
		return resultError("write", n)
	}
	if int(n) < len(b) {
		return fmt.Errorf("%w: %d of %d bytes written", store.ErrFull, n, len(b))
	}
	return nil
}

func (h handle) truncate(size int64) error {
	if n := importTruncate(int32(h), float64(size)); n < 0 {
		return resultError("truncate", n)
	}
	return nil
}

func (h handle) flush() error {
	if n := importFlush(int32(h)); n < 0 {
		return resultError("flush", n)
	}
	return nil
}

func (h handle) size() (int64, error) {
	n := importSize(int32(h))
	if n < 0 {
		return 0, resultError("size", int32(n))
	}
	return int64(n), nil
}

func (h handle) close() { browser().Call("close", int(h)) }

func resultError(op string, code int32) error {
	said := browser().Call("error").String()
	if code == resultFull {
		return fmt.Errorf("%w (%s: %s)", store.ErrFull, op, said)
	}
	return fmt.Errorf("opfs: %s: %s", op, said)
}

// browser is the object of opfs.js for all that has to wait.
func browser() js.Value { return js.Global().Get("kolibriOPFS") }

// call awaits a method of opfs.js. It must not be used inside a js.FuncOf callback, where nothing
// may block.
func call(ctx context.Context, method string, args ...any) (js.Value, error) {
	object := browser()
	if object.IsUndefined() {
		return js.Undefined(), errors.New("installOPFS was not called")
	}
	return tab.Await(ctx, object.Call(method, args...))
}
