package main

import (
	"bytes"
	"fmt"
)

// shape is what shim/ relies on in the core bundle: it pushes a chunk into this array before the
// bundle runs, is handed the require function, and knows the Axios module by its defaults.
// When a new wheel fails here, shim/ must learn a new way in before the wheel can be taken.
var shape = []struct{ what, text string }{
	{"the chunk array that the webpack runtime replays", `self["webpackChunkwebpack__kolibricore.default_frontend"]=self["webpackChunkwebpack__kolibricore.default_frontend"]||[]).forEach(`},
	{"the Axios module with its defaults", `xsrfCookieName:"XSRF-TOKEN"`},
	{"Kolibri's own client on top of Axios", `xsrfCookieName:"kolibri_csrftoken"`},
}

// checkShape fails when the core bundle is no longer built the way that the shim needs it.
func checkShape(w *wheel) error {
	files, err := bundleFiles(w, coreBundle, "kolibri/core")
	if err != nil {
		return err
	}
	var scripts []byte
	for _, f := range files {
		gz, err := w.read("kolibri/core/static/" + f + ".gz")
		if err != nil {
			return err
		}
		raw, err := gunzip(gz)
		if err != nil {
			return fmt.Errorf("kolibri wheel: %s: %w", f, err)
		}
		scripts = append(scripts, raw...)
	}
	return missingShape(scripts)
}

func missingShape(scripts []byte) error {
	for _, s := range shape {
		if n := bytes.Count(scripts, []byte(s.text)); n != 1 {
			return fmt.Errorf("the core bundle of this Kolibri has changed its shape: %s is there %d times instead of once (%s); "+
				"Axios cannot be replaced as shim/ does it", s.what, n, s.text)
		}
	}
	return nil
}
