package importing

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"kolibri/core/api"
	"kolibri/core/discovery/network"
	"kolibri/store"
)

// nodeStats is what an import could bring below a node, or for a resource by itself.
type nodeStats struct {
	coach                    bool // all of it is for coaches
	coachContents, resources int64
	isNew, updated           bool // against the edition that is here
	newResources             int64
}

// origin is where an import would come from; both empty: Studio, which has everything.
type origin struct{ drive, peer string }

// statsKept is how long statistics and lists of files are good for.
const statsKept = time.Hour

// statsCache keeps what the pages that choose resources ask for again and again.
type statsCache struct {
	mu      sync.Mutex
	stats   map[string]keptStats // by channel and origin
	remote  map[string]keptFiles // a peer's files, by address and channel
	updates map[string]*diff     // what a newer edition would change, by channel
	// answered is when sources were last heard of, by address.
	answered map[string]time.Time
}

type keptStats struct {
	nodes map[string]nodeStats
	until time.Time
}

type keptFiles struct {
	checksums map[string]bool
	until     time.Time
}

func (s *statsCache) forget(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.stats, func(key string, _ keptStats) bool { return strings.HasPrefix(key, channel) })
	maps.DeleteFunc(s.remote, func(key string, _ keptFiles) bool { return strings.HasSuffix(key, channel) })
}

func (s *statsCache) update(channel string) *diff {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.updates[channel]
}

func (s *statsCache) setUpdate(channel string, d *diff) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.updates == nil {
		s.updates = map[string]*diff{}
	}
	if d == nil {
		delete(s.updates, channel)
	} else {
		s.updates[channel] = d
	}
}

// errLocation: there is no such drive or device.
var errLocation = errors.New("no such place to import from")

// statsOf tells what of a channel can be imported from an origin, by node. Nodes that are not in it
// cannot be imported from there.
// kolibri/core/content/utils/importability_annotation.py: get_channel_annotation_stats
func (i *Importer) statsOf(ctx context.Context, channel string, from origin) (map[string]nodeStats, error) {
	key := channel + " " + from.drive + " " + from.peer
	i.cache.mu.Lock()
	kept, ok := i.cache.stats[key]
	i.cache.mu.Unlock()
	if ok && i.host.DB.Now().Before(kept.until) {
		return kept.nodes, nil
	}
	checksums, err := i.filesAt(ctx, channel, from)
	if err != nil {
		return nil, err
	}
	var nodes map[string]nodeStats
	err = i.host.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if nodes, err = count(tx, channel, i.host.Pages.Presets(), checksums); err != nil {
			return err
		}
		return i.cache.update(channel).mark(tx, channel, nodes)
	})
	if err != nil {
		return nil, err
	}
	i.cache.mu.Lock()
	defer i.cache.mu.Unlock()
	if i.cache.stats == nil {
		i.cache.stats = map[string]keptStats{}
	}
	i.cache.stats[key] = keptStats{nodes, i.host.DB.Now().Add(statsKept)}
	return nodes, nil
}

// count adds the resources up whose files the viewers show and the origin has. nil checksums: it has all.
func count(tx *store.Tx, channel string, presets []string, checksums map[string]bool) (map[string]nodeStats, error) {
	importable := map[string]bool{}
	err := store.ForEach(tx, func(row store.Scanner) error {
		var node, checksum string
		var here bool
		if err := row.Scan(&node, &checksum, &here); err != nil {
			return err
		}
		if checksums == nil || here || checksums[checksum] {
			importable[node] = true
		}
		return nil
	}, `SELECT f.contentnode_id, l.id, l.available FROM content_contentnode n JOIN content_file f ON f.contentnode_id = n.id
		JOIN content_localfile l ON l.id = f.local_file_id WHERE n.channel_id = ? AND f.supplementary = FALSE AND f.preset IN ?`, channel, store.In(presets))
	if err != nil {
		return nil, err
	}
	all, sums := map[string]nodeStats{}, map[string]*nodeStats{}
	// children come before their parents, so a topic's sum is complete when it is met
	err = store.ForEach(tx, func(row store.Scanner) error {
		var id, kind string
		var parent *string
		var s nodeStats
		var coachContents, resources *int64
		if err := row.Scan(&id, &parent, &kind, &s.coach, &coachContents, &resources); err != nil {
			return err
		}
		if kind == "topic" {
			sum := sums[id]
			if sum == nil && parent != nil {
				return nil // nothing below it
			}
			if sum != nil {
				s = *sum
			} else {
				s.coachContents, s.resources = orZero(coachContents), orZero(resources)
			}
		} else if !importable[id] {
			return nil
		} else if s.resources = 1; s.coach {
			s.coachContents = 1
		}
		all[id] = s
		if parent == nil {
			return nil
		}
		sum := sums[*parent]
		if sum == nil {
			sum = &nodeStats{coach: true}
			sums[*parent] = sum
		}
		sum.coach = sum.coach && s.coach
		sum.coachContents += s.coachContents
		sum.resources += s.resources
		return nil
	}, `SELECT id, parent_id, kind, coach_content, num_coach_contents, on_device_resources FROM content_contentnode
		WHERE channel_id = ? ORDER BY level DESC`, channel)
	return all, err
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// filesAt are the checksums of the channel's files that an origin has; nil: all of them.
func (i *Importer) filesAt(ctx context.Context, channel string, from origin) (map[string]bool, error) {
	switch {
	case from.drive != "":
		folder, err := i.drives.OpenDrive(ctx, from.drive)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errLocation
		}
		if err != nil {
			return nil, err
		}
		return filesIn(ctx, folder)
	case from.peer != "":
		return i.filesOfPeer(ctx, channel, from.peer)
	}
	return nil, nil
}

// filesIn are the checksums of the files in a drive's folder.
// kolibri/core/content/utils/file_availability.py: get_available_checksums_from_disk
func filesIn(ctx context.Context, folder fs.FS) (map[string]bool, error) {
	found := map[string]bool{}
	err := fs.WalkDir(folder, "content/storage", func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir // what cannot be read is not there
		}
		if checksum, _, _ := strings.Cut(path.Base(name), "."); isChecksum(checksum) {
			found[checksum] = true
		}
		return ctx.Err()
	})
	return found, err
}

func isChecksum(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == ""
}

// filesOfPeer asks another Kolibri which of the channel's files it has. One that cannot say has all.
// kolibri/core/content/utils/file_availability.py: get_available_checksums_from_remote
func (i *Importer) filesOfPeer(ctx context.Context, channel, peer string) (map[string]bool, error) {
	var base string
	var checksums []string
	err := i.host.DB.Read(ctx, func(tx *store.Tx) (err error) {
		if err = tx.QueryRow("SELECT base_url FROM discovery_networklocation WHERE id = ?", peer).Scan(&base); err != nil {
			return err
		}
		checksums, err = tx.Strings(`SELECT DISTINCT f.local_file_id FROM content_contentnode n JOIN content_file f ON f.contentnode_id = n.id
			WHERE n.channel_id = ? AND f.supplementary = FALSE ORDER BY 1`, channel)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, errLocation
	}
	if err != nil {
		return nil, err
	}
	key := base + " " + channel
	i.cache.mu.Lock()
	kept, ok := i.cache.remote[key]
	i.cache.mu.Unlock()
	if ok && i.host.DB.Now().Before(kept.until) {
		return kept.checksums, nil
	}
	there, err := askForFiles(ctx, i.host, base, channel, checksums)
	if err != nil || there == nil {
		return nil, err
	}
	i.cache.mu.Lock()
	defer i.cache.mu.Unlock()
	if i.cache.remote == nil {
		i.cache.remote = map[string]keptFiles{}
	}
	i.cache.remote[key] = keptFiles{there, i.host.DB.Now().Add(statsKept)}
	return there, nil
}

// askForFiles sends the checksums and reads the number whose bits answer; nil when the other device
// does not answer with one.
func askForFiles(ctx context.Context, h *api.Host, base, channel string, checksums []string) (map[string]bool, error) {
	client := network.NewClient(h, base)
	if err := client.Connect(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errLocation, err)
	}
	list, err := api.JSON(checksums)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(list); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	answer, err := client.Send(ctx, "api/public/v1/file_checksums/"+channel, "application/gzip", packed.Bytes())
	if err != nil || answer.Status != http.StatusOK {
		return nil, nil
	}
	bits, ok := new(big.Int).SetString(strings.TrimSpace(string(answer.Body)), 10)
	if !ok {
		return nil, nil
	}
	there := map[string]bool{}
	for n, checksum := range checksums {
		if bits.Bit(n) == 1 {
			there[checksum] = true
		}
	}
	return there, nil
}
