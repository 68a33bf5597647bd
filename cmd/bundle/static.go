package main

import (
	"encoding/json"
	"errors"
	"runtime"

	"golang.org/x/sync/errgroup"

	"kolibri/core/content"
	"kolibri/server/pages"
)

// buildStatic unpacks the front end's files, with the wheel's own gzips and the license under which
// they may be passed on, and checks that the shim will find its way in.
func buildStatic(b *builder, out *output) (map[string]string, error) {
	w, err := b.openWheel()
	if err != nil {
		return nil, err
	}
	if err := checkShape(w); err != nil {
		return nil, err
	}
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	err = w.assets(func(a asset) error {
		g.Go(func() error { return out.writeAsset("static/"+a.path, a.raw, a.gz) })
		return nil
	})
	license, e := w.read("kolibri-" + w.version + ".dist-info/LICENSE")
	return nil, errors.Join(err, g.Wait(), e, out.write("static/kolibri.LICENSE.txt", license))
}

// buildData writes pages.json and the messages of each language.
func buildData(b *builder, out *output) (map[string]string, error) {
	w, err := b.openWheel()
	if err != nil {
		return nil, err
	}
	d, err := pagesData(w)
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	if err := out.writeAsset(pages.DataFile, raw, nil); err != nil {
		return nil, err
	}
	stop, err := stopwords(w)
	if err != nil {
		return nil, err
	}
	if err := out.writeAsset(content.StopwordsFile, stop, nil); err != nil {
		return nil, err
	}
	names, err := languageNames(w)
	if err != nil {
		return nil, err
	}
	if err := out.writeAsset(content.LanguagesFile, names, nil); err != nil {
		return nil, err
	}
	var g errgroup.Group
	g.SetLimit(runtime.NumCPU())
	all := newDigest(string(raw), string(stop), string(names))
	for _, l := range d.Languages {
		text, err := languageMessages(w, d, l.ID)
		if err != nil {
			return nil, err
		}
		all.h.Write(text)
		g.Go(func() error { return out.writeAsset(pages.MessagesDir+"/"+l.ID+".json", text, nil) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	hash, err := all.sum()
	return map[string]string{"hash": hash}, err
}
