package relay

import (
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"kolibri/relay/wire"
)

func TestCodes(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	from := netip.MustParseAddr("192.0.2.1")
	var codes []string
	p := newPairing("", func() time.Time { return now }, func(code string) { codes = append(codes, code) })
	require.Len(t, codes, 1)
	require.Regexp(t, regexp.MustCompile(`^[2-9A-HJKMNP-Z]{4}-[2-9A-HJKMNP-Z]{4}$`), codes[0])
	try := func(code, nonce string) error {
		_, _, err := p.admit(from, nonce, "", prove([]byte(plainCode(code)), nonce))
		return err
	}
	require.ErrorIs(t, try("forged", "n"), errWrongCode)
	overheard := prove([]byte(plainCode(codes[0])), "n1")
	id, key, err := p.admit(from, "n1", "", overheard)
	require.NoError(t, err)
	require.ErrorIs(t, try(codes[0], "n2"), errWrongCode, "a code serves once")
	_, _, err = p.admit(from, "n1", "", overheard)
	require.ErrorIs(t, err, errWrongCode, "and so does what was overheard")
	require.Len(t, codes, 2)

	now = now.Add(codeLife)
	require.ErrorIs(t, try(codes[1], "n3"), errWrongCode, "it grows too old")
	p.current()
	require.Len(t, codes, 3)

	now = now.Add(time.Hour)
	_, _, err = p.admit(from, "n4", id, prove([]byte(key), "n4"))
	require.NoError(t, err, "a session comes back without a code")
	_, _, err = p.admit(from, "n5", id, prove([]byte(key), "n4"))
	require.ErrorIs(t, err, errWrongCode, "with a proof for this connection")
	require.True(t, p.knows(id, key))
	require.False(t, p.knows(id, key+"x"))
	p.end(id)
	require.False(t, p.knows(id, key))
	now = now.Add(time.Hour)
	id, key, err = p.admit(from, "n", "", prove([]byte(p.current()), "n"))
	require.NoError(t, err)
	now = now.Add(sessionLife + 1)
	_, _, err = p.admit(from, "m", id, prove([]byte(key), "m"))
	require.ErrorIs(t, err, errWrongCode, "but not for ever")
}

func TestGuessing(t *testing.T) {
	now := time.Now()
	p := newPairing("right-code", func() time.Time { return now }, nil)
	guess := func(from, code string) error {
		_, _, err := p.admit(netip.MustParseAddr(from), "n", "", prove([]byte(plainCode(code)), "n"))
		return err
	}
	for range triesOfOne {
		require.ErrorIs(t, guess("192.0.2.1", "wrong"), errWrongCode)
	}
	require.ErrorIs(t, guess("192.0.2.1", "right-code"), errTooMany, "even the right one has to wait now")
	require.NoError(t, guess("192.0.2.2", "Right Code"), "others are not hindered")
	now = now.Add(moreForOne)
	require.NoError(t, guess("192.0.2.1", "right-code"))
	for i := range triesOfOne {
		require.ErrorIs(t, guess("2001:db8::"+string(rune('1'+i)), "wrong"), errWrongCode)
	}
	require.ErrorIs(t, guess("2001:db8::ffff", "wrong"), errTooMany, "of IPv6, a network counts as one")
	for i := range triesOfAll {
		_ = guess(netip.AddrFrom4([4]byte{10, 0, byte(i), 1}).String(), "wrong")
	}
	require.ErrorIs(t, guess("198.51.100.1", "right-code"), errTooMany, "all together are limited too")
}

func TestWhoIsRefused(t *testing.T) {
	s := start(t)
	closed := func(b *browser) websocket.StatusCode {
		for {
			if _, err := b.tryRead(); err != nil {
				return websocket.CloseStatus(err)
			}
		}
	}
	b := s.dial(t)
	require.NoError(t, b.apply("wrong"))
	require.EqualValues(t, wire.CloseForbidden, closed(b))
	for name, change := range map[string]func(*wire.Application){
		"another version": func(a *wire.Application) { a.Version = 2 },
		"unknown kind":    func(a *wire.Application) { a.Kind = "admin" },
		"a name of lines": func(a *wire.Application) { a.Name = "a\nlevel=ERROR" },
		"a home of lines": func(a *wire.Application) { a.Home = "a; Domain=b" },
	} {
		b := s.dial(t)
		require.NoError(t, b.apply(testCode, change))
		require.EqualValues(t, wire.CloseProtocol, closed(b), name)
	}
	b = s.dial(t)
	b.read()
	require.NoError(t, b.write(wire.Frame{Kind: wire.Ping}))
	require.EqualValues(t, wire.CloseProtocol, closed(b), "a frame before Join")
	conn, _, err := websocket.Dial(t.Context(), "ws"+s.url[len("http"):]+Own+"tab", nil)
	require.NoError(t, err)
	_, _, err = conn.Read(t.Context())
	require.EqualValues(t, wire.CloseProtocol, websocket.CloseStatus(err), "another protocol")
	require.Empty(t, s.pool.all())
	for range triesOfOne {
		b := s.dial(t)
		if f, err := b.tryRead(); err != nil || f.Kind != wire.Hello {
			break
		}
		b.conn.CloseNow()
		c := s.dial(t)
		_ = c.apply("wrong")
		closed(c)
	}
	require.EqualValues(t, wire.CloseBusy, closed(s.dial(t)))
}
