package opfs_test

import (
	"testing"

	"kolibri/store/opfs"
	"kolibri/store/storetest"
)

func TestConformance(t *testing.T) { storetest.RunDisk(t, opfs.Disk) }

func TestSettings(t *testing.T) {
	storetest.Settings(t, opfs.Disk, map[string]string{
		"locking_mode": "exclusive", "journal_mode": "wal", "synchronous": "1", "cache_size": "-16000",
		"temp_store": "2", "page_size": "4096", "foreign_keys": "1",
	})
}
