package content

import (
	"slices"

	"kolibri/store"
)

// Sizes are the sizes in bytes of sets of nodes, on the device or not: what their files need
// together. A file that several nodes of a set share counts once.
// kolibri/core/content/utils/annotation.py: total_file_size
func Sizes(tx *store.Tx, sets [][]string) ([]int64, error) {
	var all []string
	for _, set := range sets {
		all = append(all, set...)
	}
	slices.Sort(all)
	type file struct {
		id   string
		size int64
	}
	files := map[string][]file{}
	for chunk := range slices.Chunk(slices.Compact(all), 500) {
		err := store.ForEach(tx, func(row store.Scanner) error {
			var node string
			var f file
			err := row.Scan(&node, &f.id, &f.size)
			files[node] = append(files[node], f)
			return err
		}, `SELECT f.contentnode_id, l.id, coalesce(l.file_size, 0) FROM content_file f
			JOIN content_localfile l ON l.id = f.local_file_id WHERE f.contentnode_id IN ?`, store.In(chunk))
		if err != nil {
			return nil, err
		}
	}
	sizes := make([]int64, len(sets))
	for i, set := range sets {
		seen := map[string]bool{}
		for _, node := range set {
			for _, f := range files[node] {
				if !seen[f.id] {
					seen[f.id] = true
					sizes[i] += f.size
				}
			}
		}
	}
	return sizes, nil
}
