package morango

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"syscall/js"

	"kolibri/store/tab"
)

// newKey asks the browser for a key: it draws one in the background in a tenth of the second or more
// that Go takes here, during which nothing else would be answered. Pages without a secure context
// have no WebCrypto; then Go does it.
func newKey(random io.Reader) (*rsa.PrivateKey, error) {
	subtle := js.Global().Get("crypto").Get("subtle")
	if !subtle.Truthy() {
		return rsa.GenerateKey(random, keyBits)
	}
	exponent := js.Global().Get("Uint8Array").New(3)
	js.CopyBytesToJS(exponent, []byte{1, 0, 1})
	pair, err := tab.Await(context.Background(), subtle.Call("generateKey", map[string]any{"name": "RSASSA-PKCS1-v1_5", "modulusLength": keyBits,
		"publicExponent": exponent, "hash": "SHA-256"}, true, []any{"sign", "verify"}))
	if err != nil {
		return nil, err
	}
	exported, err := tab.Await(context.Background(), subtle.Call("exportKey", "pkcs8", pair.Get("privateKey")))
	if err != nil {
		return nil, err
	}
	bytes := js.Global().Get("Uint8Array").New(exported)
	der := make([]byte, bytes.Length())
	js.CopyBytesToGo(der, bytes)
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("morango: the browser made a key of another kind")
	}
	return private, nil
}
