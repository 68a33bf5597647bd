package relay

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// codeLife is how long a code that the relay made may be used, once.
	codeLife = 10 * time.Minute
	// sessionLife is how long a tab may be away and still come back without a code.
	sessionLife = 12 * time.Hour
	// maxSessions bounds what pairing may take of memory.
	maxSessions = 10_000
)

// Wrong codes that one address, and all together, may try before they have to wait, and how often one
// more is granted.
const (
	triesOfOne    = 5
	triesOfAll    = 60
	moreForOne    = 20 * time.Second
	moreForAll    = time.Second
	maxForgetting = 4096
)

// codeLetters are those that nobody mistakes for another: 30 of them, 39 bits in eight.
const codeLetters = "23456789ABCDEFGHJKMNPQRSTVWXYZ"

var (
	errWrongCode = errors.New("this code is wrong, used up or too old")
	errTooMany   = errors.New("too many wrong codes: wait a minute")
)

// pairing decides who may take part. A tab proves that it knows a code without telling it: what was
// overheard is of no use for another connection.
type pairing struct {
	now   func() time.Time
	fixed string // the operator's own code, which stays
	fresh func(code string)

	mu       sync.Mutex
	code     string
	until    time.Time
	sessions map[string]*session
	ofOne    map[netip.Prefix]*bucket
	ofAll    bucket
}

// session lets a tab come back after its connection broke.
type session struct {
	key  []byte
	seen time.Time
}

// bucket counts what may still be tried.
type bucket struct {
	used float64
	at   time.Time
}

func (b *bucket) drain(now time.Time, every time.Duration) {
	if !b.at.IsZero() {
		b.used = max(0, b.used-float64(now.Sub(b.at))/float64(every))
	}
	b.at = now
}

// newPairing takes the operator's code, or makes codes of its own, each of which it tells fresh.
func newPairing(fixed string, now func() time.Time, fresh func(string)) *pairing {
	p := &pairing{now: now, fixed: plainCode(fixed), fresh: fresh, sessions: map[string]*session{}, ofOne: map[netip.Prefix]*bucket{}}
	p.current()
	return p
}

// plainCode is a code as it is compared: people may write it in small letters and without the dash.
func plainCode(code string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(code))
}

// current returns the code that is valid now.
func (p *pairing) current() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.valid()
}

func (p *pairing) valid() string {
	if p.fixed != "" {
		return p.fixed
	}
	if now := p.now(); p.code == "" || !now.Before(p.until) {
		p.renew(now)
	}
	return p.code
}

func (p *pairing) renew(now time.Time) {
	code := make([]byte, 0, 8)
	for len(code) < 8 {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails (crypto/rand)
		if n := int(b[0]); n < 256/len(codeLetters)*len(codeLetters) {
			code = append(code, codeLetters[n%len(codeLetters)])
		}
	}
	p.code, p.until = string(code), now.Add(codeLife)
	if p.fresh != nil {
		p.fresh(p.code[:4] + "-" + p.code[4:])
	}
}

// prove is what a tab has to send for a nonce.
func prove(key []byte, nonce string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("kolibri-relay.1 " + nonce))
	return hex.EncodeToString(mac.Sum(nil))
}

// mayTry tells whether this address may try a code at all.
func (p *pairing) mayTry(from netip.Addr) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.ofAll.drain(now, moreForAll)
	if p.ofAll.used >= triesOfAll {
		return false
	}
	b := p.ofOne[network(from)]
	if b == nil {
		return true
	}
	b.drain(now, moreForOne)
	return b.used < triesOfOne
}

// admit checks a proof. It returns the session's name and, after a code, its key.
func (p *pairing) admit(from netip.Addr, nonce, name, proof string) (id string, key string, err error) {
	if !p.mayTry(from) {
		return "", "", errTooMany
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if name != "" {
		s := p.sessions[name]
		if s == nil || now.Sub(s.seen) > sessionLife || !same(prove(s.key, nonce), proof) {
			return "", "", p.failed(from, now)
		}
		s.seen = now
		return name, "", nil
	}
	if !same(prove([]byte(p.valid()), nonce), proof) {
		return "", "", p.failed(from, now)
	}
	p.forgetOld(now)
	id, secret := random(16), random(32)
	p.sessions[id] = &session{key: []byte(secret), seen: now}
	if p.fixed == "" {
		p.renew(now) // a code serves once
	}
	return id, secret, nil
}

// knows checks a session's key, which the gateway and the apps' store ask for.
func (p *pairing) knows(name, key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, now := p.sessions[name], p.now()
	if s == nil || now.Sub(s.seen) > sessionLife || !same(string(s.key), key) {
		return false
	}
	s.seen = now
	return true
}

// proves checks a proof that whoever has a session's key gives for a text.
func (p *pairing) proves(name, text, proof string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.sessions[name]
	return s != nil && p.now().Sub(s.seen) <= sessionLife && same(prove(s.key, text), proof)
}

// end forgets a session: who stopped sharing has to pair anew.
func (p *pairing) end(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, name)
}

func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(b)) }

func (p *pairing) failed(from netip.Addr, now time.Time) error {
	p.ofAll.used++
	if len(p.ofOne) >= maxForgetting {
		for k, b := range p.ofOne {
			if b.drain(now, moreForOne); b.used == 0 {
				delete(p.ofOne, k)
			}
		}
	}
	key := network(from)
	if p.ofOne[key] == nil && len(p.ofOne) < maxForgetting {
		p.ofOne[key] = &bucket{at: now}
	}
	if b := p.ofOne[key]; b != nil {
		b.used++
	}
	return errWrongCode
}

func (p *pairing) forgetOld(now time.Time) {
	oldest, oldestName := now, ""
	for name, s := range p.sessions {
		if now.Sub(s.seen) > sessionLife {
			delete(p.sessions, name)
		} else if s.seen.Before(oldest) {
			oldest, oldestName = s.seen, name
		}
	}
	if len(p.sessions) >= maxSessions {
		delete(p.sessions, oldestName)
	}
}

// network is what counts as one address: of IPv6, whoever has one has 2^64 of them.
func network(from netip.Addr) netip.Prefix {
	from = from.Unmap().WithZone("")
	bits := 32
	if from.Is6() {
		bits = 64
	}
	prefix, _ := from.Prefix(bits)
	return prefix
}

// random makes a secret of n bytes, in hexadecimal.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
