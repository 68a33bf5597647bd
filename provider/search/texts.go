//go:build unix

package search

import (
	"context"
	"errors"
	"os"

	"kolibri/provider/extract"
	"kolibri/provider/text"
	"kolibri/store"
)

// SetText keeps the text of a document's file; failure says in its place why there is none. It returns
// store.ErrNotFound when the document, or its file, is another by now.
func (x *Index) SetText(ctx context.Context, d Document, body, failure string) error {
	body = text.Clean(body)
	return x.db.Write(ctx, func(tx *store.Tx) error {
		var number int64
		if err := tx.QueryRow("UPDATE search_document SET read = version, failure = ? WHERE provider = ? AND id = ? AND version = ? RETURNING number",
			failure, d.Provider, d.ID, d.File+" "+d.Checksum).Scan(&number); err != nil {
			return err
		}
		if _, err := tx.Exec("INSERT INTO search_text (number, body) VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET body = excluded.body", number, body); err != nil {
			return err
		}
		return index(tx, number, d, body)
	})
}

// Unread lists documents of a provider whose text is not in the index yet, limit at most.
func (x *Index) Unread(ctx context.Context, provider string, limit int) (list []Document, err error) {
	err = x.db.Read(ctx, func(tx *store.Tx) error {
		list, err = store.Select(tx, func(s store.Scanner) (d Document, err error) {
			var tags string
			err = s.Scan(&d.Provider, &d.ID, &d.CourseID, &d.Kind, &d.Language, &d.Title, &d.Description, &tags, &d.File, &d.Checksum, &d.Size)
			d.Tags = []string{tags}
			return d, err
		}, `SELECT provider, id, course, kind, language, title, description, tags, file, checksum, size FROM search_document
			WHERE provider = ? AND version <> read AND version <> '' ORDER BY number LIMIT ?`, provider, limit)
		return err
	})
	return list, err
}

// Read takes in the texts of all documents of a provider that have none yet. open gives a document's
// file; an error of it ends the work, which then goes on with the next call, unless it wraps
// extract.ErrRefused, which is remembered. It returns how many texts it read.
func (x *Index) Read(ctx context.Context, provider string, e *extract.Extractor, open func(context.Context, Document) (*os.File, error)) (n int, err error) {
	for {
		list, err := x.Unread(ctx, provider, 50)
		if err != nil || len(list) == 0 {
			return n, err
		}
		for _, d := range list {
			body, failure := "", ""
			file, err := open(ctx, d)
			if err == nil {
				body, err = e.Text(ctx, file)
				file.Close()
			}
			if errors.Is(err, extract.ErrRefused) {
				failure = err.Error()
			} else if err != nil {
				return n, err
			}
			if err := x.SetText(ctx, d, body, failure); err != nil && !errors.Is(err, store.ErrNotFound) {
				return n, err
			}
			n++
		}
	}
}
