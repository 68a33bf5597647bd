package main

import (
	"context"
	"errors"
	"syscall/js"
)

// await blocks the goroutine until a promise is settled. It must not be called from within a
// js.FuncOf callback. A rejection becomes an error with JavaScript's own words.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	var fulfilled, rejected js.Func
	release := func() { fulfilled.Release(); rejected.Release() }
	fulfilled = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		settled <- outcome{value: args[0]}
		return nil
	})
	rejected = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		settled <- outcome{err: errors.New(js.Global().Get("String").Invoke(args[0]).String())}
		return nil
	})
	promise.Call("then", fulfilled, rejected)
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), context.Cause(ctx) // the functions are released once it settles
	}
}

// toGo copies a Uint8Array.
func toGo(array js.Value) []byte {
	bytes := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(bytes, array)
	return bytes
}
