package tab

import (
	"context"
	"syscall/js"

	"kolibri/store"
)

// Error is an exception that JavaScript threw, such as NotFoundError or QuotaExceededError.
type Error struct{ Name, Message string }

func (e *Error) Error() string { return e.Name + ": " + e.Message }

// Is lets errors.Is find store.ErrFull behind a QuotaExceededError.
func (e *Error) Is(target error) bool {
	return target == store.ErrFull && e.Name == "QuotaExceededError"
}

// Await blocks the goroutine until the promise is settled; a rejection is an *Error. It must not be
// used inside a js.FuncOf callback, where nothing may block. When ctx ends first the promise goes
// on unobserved.
func Await(ctx context.Context, promise js.Value) (js.Value, error) {
	type result struct {
		value js.Value
		err   error
	}
	settled := make(chan result, 1)
	var onValue, onError js.Func
	release := func() {
		onValue.Release()
		onError.Release()
	}
	onValue = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- result{value: args[0]}
		release()
		return nil
	})
	onError = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- result{err: &Error{Name: args[0].Get("name").String(), Message: args[0].Get("message").String()}}
		release()
		return nil
	})
	promise.Call("then", onValue, onError)
	select {
	case r := <-settled:
		return r.value, r.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// Space is what the browser says about this site's storage.
type Space struct {
	Usage, Quota int64 // bytes, estimates
	Persisted    bool  // the browser promised not to evict it
}

// Usage asks the browser how much space is used and allowed.
func Usage(ctx context.Context) (Space, error) {
	storage := js.Global().Get("navigator").Get("storage")
	estimate, err := Await(ctx, storage.Call("estimate"))
	if err != nil {
		return Space{}, err
	}
	persisted, err := Await(ctx, storage.Call("persisted"))
	if err != nil {
		return Space{}, err
	}
	return Space{
		Usage:     int64(estimate.Get("usage").Float()),
		Quota:     int64(estimate.Get("quota").Float()),
		Persisted: persisted.Bool(),
	}, nil
}
