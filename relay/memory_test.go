package relay

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkRequests sends requests through the relay to a tab that answers at once, 32 at a time, and
// tells what the memory of all three is after a tenth of them and at the end:
//
//	go test ./relay -run '^$' -bench Requests -benchtime 1000000x
func BenchmarkRequests(b *testing.B) {
	s := start(b, func(c *Config) { c.Timeout = time.Minute })
	s.join(b).serve()
	client := &http.Transport{MaxIdleConnsPerHost: 32}
	defer client.CloseIdleConnections()
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc+m.StackInuse) / (1 << 20)
	}
	var failed atomic.Int64
	send := func(n int) {
		var clients sync.WaitGroup
		for i := range 32 {
			clients.Go(func() {
				for range (n + i) / 32 {
					request, _ := http.NewRequest(http.MethodGet, s.url+"/x?y=z", nil)
					answer, err := client.RoundTrip(request)
					if err != nil || answer.StatusCode != http.StatusOK {
						failed.Add(1)
						continue
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			})
		}
		clients.Wait()
	}
	send(1000) // buffers and connections
	b.ResetTimer()
	first := b.N / 10
	send(first)
	b.ReportMetric(heap(), "MiB-after-a-tenth")
	send(b.N - first)
	b.ReportMetric(heap(), "MiB-at-the-end")
	require.Zero(b, failed.Load())
}
