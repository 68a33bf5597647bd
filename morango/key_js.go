package morango

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"io"
	"math/big"
	"syscall/js"

	"kolibri/store/tab"
)

// newKey asks the browser for a key: it draws one in the background in a tenth of the second or more
// that Go takes here, during which nothing else would be answered. Pages without a secure context
// have no WebCrypto; then Go does it. The key comes as numbers (RFC 7518, 6.3.2), because a reader of
// PKCS #8 would bring every elliptic curve into the module.
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
	exported, err := tab.Await(context.Background(), subtle.Call("exportKey", "jwk", pair.Get("privateKey")))
	if err != nil {
		return nil, err
	}
	var numbers [5]*big.Int
	for i, name := range []string{"n", "e", "d", "p", "q"} {
		bytes, err := base64.RawURLEncoding.DecodeString(exported.Get(name).String())
		if err != nil {
			return nil, err
		}
		numbers[i] = new(big.Int).SetBytes(bytes)
	}
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: numbers[0], E: int(numbers[1].Int64())}, D: numbers[2], Primes: numbers[3:]}
	key.Precompute()
	return key, key.Validate()
}
