package content

import (
	"database/sql"
	"encoding/json"

	"kolibri/store"
)

// Assessment is what an exercise says of its questions.
type Assessment struct {
	ItemIDs      json.RawMessage `json:"assessment_item_ids"`
	Number       int64           `json:"number_of_assessments"`
	MasteryModel json.RawMessage `json:"mastery_model"`
	Randomize    bool            `json:"randomize"`
	Manipulable  bool            `json:"is_manipulable"`
	Node         string          `json:"contentnode"`
}

// File is a file of a node. StorageURL is null while the file is not on this device.
type File struct {
	ID            string    `json:"id"`
	Priority      *int64    `json:"priority"`
	Preset        string    `json:"preset"`
	Supplementary bool      `json:"supplementary"`
	Thumbnail     bool      `json:"thumbnail"`
	Lang          *Language `json:"lang"`
	Checksum      string    `json:"checksum"`
	Available     bool      `json:"available"`
	FileSize      *int64    `json:"file_size"`
	Extension     string    `json:"extension"`
	StorageURL    *string   `json:"storage_url"`
}

// Language is the language of a node or file.
type Language struct {
	ID        string  `json:"id"`
	Code      string  `json:"lang_code"`
	Subcode   *string `json:"lang_subcode"`
	Name      *string `json:"lang_name"`
	Direction string  `json:"lang_direction"`
}

// complete gives nodes their assessments, files, languages and tags, with one query each for up to
// maxList nodes.
func (c *Content) complete(tx *store.Tx, nodes []*Node) error {
	if len(nodes) == 0 {
		return nil
	}
	byID := make(map[string]*Node, len(nodes))
	ids := make([]string, len(nodes))
	langs := map[string]bool{}
	for i, n := range nodes {
		byID[n.ID], ids[i] = n, n.ID
		if n.langID != "" {
			langs[n.langID] = true
		}
	}
	fileLangs := map[*File]string{}
	for _, some := range chunks(ids) {
		if err := assessments(tx, some, byID); err != nil {
			return err
		}
		if err := c.files(tx, some, byID, fileLangs); err != nil {
			return err
		}
		if err := tags(tx, some, byID); err != nil {
			return err
		}
	}
	for _, lang := range fileLangs {
		langs[lang] = true
	}
	known, err := languages(tx, langs)
	if err != nil {
		return err
	}
	for f, lang := range fileLangs {
		f.Lang = known[lang]
	}
	for _, n := range nodes {
		n.Lang = known[n.langID]
		for _, f := range n.Files {
			if f.Thumbnail {
				n.Thumbnail = f.StorageURL
				break
			}
		}
	}
	return nil
}

func assessments(tx *store.Tx, ids []string, byID map[string]*Node) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		a := &Assessment{}
		var items, mastery string
		if err := row.Scan(&items, &a.Number, &mastery, &a.Randomize, &a.Manipulable, &a.Node); err != nil {
			return err
		}
		a.ItemIDs, a.MasteryModel = rawJSON(items), rawJSON(mastery)
		byID[a.Node].AssessmentMetadata = a
		return nil
	}, `SELECT assessment_item_ids, number_of_assessments, mastery_model, randomize, is_manipulable, contentnode_id
		FROM content_assessmentmetadata WHERE contentnode_id IN ?`, store.In(ids))
}

func (c *Content) files(tx *store.Tx, ids []string, byID map[string]*Node, langs map[*File]string) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		f := &File{}
		var node string
		var lang sql.NullString
		if err := row.Scan(&node, &f.ID, &f.Priority, &f.Preset, &f.Supplementary, &f.Thumbnail, &lang,
			&f.Checksum, &f.Available, &f.FileSize, &f.Extension); err != nil {
			return err
		}
		if f.Available {
			url := c.StorageURL(f.Checksum, f.Extension)
			f.StorageURL = &url
		}
		if lang.Valid {
			langs[f] = lang.String
		}
		byID[node].Files = append(byID[node].Files, f)
		return nil
	}, `SELECT f.contentnode_id, f.id, f.priority, f.preset, f.supplementary, f.thumbnail, f.lang_id, l.id, l.available, l.file_size, l.extension
		FROM content_file f JOIN content_localfile l ON l.id = f.local_file_id WHERE f.contentnode_id IN ? ORDER BY f.priority, f.id`, store.In(ids))
}

// StorageURL is the address of a file's bytes (kolibri/core/content/utils/paths.py).
func (c *Content) StorageURL(checksum, extension string) string {
	folders := checksum
	if len(checksum) > 1 {
		folders = checksum[:1] + "/" + checksum[1:2]
	}
	return c.host.Options.URLPathPrefix + "content/storage/" + folders + "/" + checksum + "." + extension
}

func tags(tx *store.Tx, ids []string, byID map[string]*Node) error {
	return store.ForEach(tx, func(row store.Scanner) error {
		var node, tag string
		if err := row.Scan(&node, &tag); err != nil {
			return err
		}
		byID[node].Tags = append(byID[node].Tags, tag)
		return nil
	}, `SELECT x.contentnode_id, t.tag_name FROM content_contentnode_tags x JOIN content_contenttag t ON t.id = x.contenttag_id
		WHERE x.contentnode_id IN ? ORDER BY t.tag_name`, store.In(ids))
}

func languages(tx *store.Tx, ids map[string]bool) (map[string]*Language, error) {
	known := make(map[string]*Language, len(ids))
	if len(ids) == 0 {
		return known, nil
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	err := store.ForEach(tx, func(row store.Scanner) error {
		l := &Language{}
		if err := row.Scan(&l.ID, &l.Code, &l.Subcode, &l.Name, &l.Direction); err != nil {
			return err
		}
		known[l.ID] = l
		return nil
	}, "SELECT id, lang_code, lang_subcode, lang_name, lang_direction FROM content_language WHERE id IN ?", store.In(list))
	return known, err
}
