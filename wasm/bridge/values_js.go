package bridge

import "syscall/js"

// ToGo copies a Uint8Array.
func ToGo(array js.Value) []byte {
	bytes := make([]byte, array.Get("length").Int())
	js.CopyBytesToGo(bytes, array)
	return bytes
}

// ToJS copies bytes into a new Uint8Array of its own buffer, which can be transferred.
func ToJS(bytes []byte) js.Value {
	array := uint8Array.New(len(bytes))
	js.CopyBytesToJS(array, bytes)
	return array
}

var uint8Array = js.Global().Get("Uint8Array")
