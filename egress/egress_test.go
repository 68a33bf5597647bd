package egress

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPublicAddressesAndNamedPrivateOnes(t *testing.T) {
	p, err := Public([]string{"192.168.1.20:8080", "10.1.0.0/16", "kolibri.local"}, nil)
	require.NoError(t, err)
	for address, ok := range map[string]bool{
		"https://example.org/x": true, "http://93.184.216.34:8080": true, "http://192.168.1.20:8080": true, "http://192.168.1.20": false,
		"http://192.168.1.21:8080": false, "http://10.1.2.3": true, "http://10.2.0.1": false, "http://127.0.0.1": false, "http://[::1]": false,
		"http://169.254.169.254/": false, "http://[::ffff:169.254.169.254]/": false, "http://0x7f.1": false, "http://2130706433": false, "ftp://example.org": false,
		"http://user@example.org": false, "http://kolibri.local": true, "http://[64:ff9b::a00:1]": false,
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, ok, p.Check(u) == nil, address)
	}
}

func TestWhatANameLeadsToIsSeenWhenItIsDialled(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	port := s.URL[strings.LastIndex(s.URL, ":")+1:]
	lookup := func(context.Context, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	for allowed, ok := range map[string]bool{"127.0.0.1:" + port: true, "127.0.0.1:1": false, "127.0.0.0/8": true, "rebind.example": false} {
		p, err := Public([]string{allowed}, lookup)
		require.NoError(t, err)
		client := http.Client{Transport: p.Transport(time.Minute), CheckRedirect: p.Redirect}
		res, err := client.Get("http://rebind.example:" + port + "/")
		if ok {
			require.NoError(t, err, allowed)
			res.Body.Close()
		} else {
			require.ErrorIs(t, err, ErrPrivate, allowed)
		}
	}
}
