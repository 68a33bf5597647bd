// Package content is the library: channels, their trees of topics and resources, files and labels
// (kolibri/core/content).
package content

import "kolibri/store"

// The modalities that say what a topic or exercise is used as (le_utils/constants/modalities.py).
const (
	Quiz   = "QUIZ"
	Course = "COURSE"
	Unit   = "UNIT"
	Lesson = "LESSON"
	Survey = "SURVEY"
)

// Exists tells whether the library has something available of a modality.
func Exists(tx *store.Tx, modality string) (bool, error) {
	return tx.Exists("SELECT 1 FROM content_contentnode WHERE modality = ? AND available = TRUE", modality)
}
