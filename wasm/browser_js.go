package main

import (
	"context"
	"strings"
	"syscall/js"

	"kolibri/store/tab"
	"kolibri/wasm/bridge"
)

// webCrypto derives password keys with the browser's own cryptography, which is six times faster
// than Go's in WebAssembly (docs/storage.md).
type webCrypto struct{}

// PBKDF2 implements api.Hasher.
func (webCrypto) PBKDF2(ctx context.Context, password, salt []byte, iterations int) ([]byte, error) {
	subtle := js.Global().Get("crypto").Get("subtle")
	usages := []any{"deriveBits"}
	key, err := tab.Await(ctx, subtle.Call("importKey", "raw", bridge.ToJS(password), "PBKDF2", false, usages))
	if err != nil {
		return nil, err
	}
	algorithm := map[string]any{
		"name": "PBKDF2", "hash": "SHA-256", "salt": bridge.ToJS(salt), "iterations": iterations,
	}
	const keyBits = 256
	bits, err := tab.Await(ctx, subtle.Call("deriveBits", algorithm, key, keyBits))
	if err != nil {
		return nil, err
	}
	return bridge.ToGo(js.Global().Get("Uint8Array").New(bits)), nil
}

// browser is the device that the server runs on.
type browser struct{}

// FreeSpace implements api.Device: what the browser grants this site beyond what it uses.
func (browser) FreeSpace(ctx context.Context) (int64, error) {
	space, err := tab.Usage(ctx)
	return space.Quota - space.Usage, err
}

// OS implements api.Device.
func (browser) OS() string {
	navigator := js.Global().Get("navigator")
	if data := navigator.Get("userAgentData"); data.Truthy() && data.Get("platform").String() != "" {
		return data.Get("platform").String()
	}
	name, _, _ := strings.Cut(navigator.Get("platform").String(), " ")
	return name
}

// Hostname implements api.Device. A browser does not know its computer's name.
func (b browser) Hostname() string { return "Kolibri in your web browser" }

// ContentDir implements api.Device.
func (browser) ContentDir() string { return "content" }

// InTab implements api.Device.
func (browser) InTab() bool { return true }
