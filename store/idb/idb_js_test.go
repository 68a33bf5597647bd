package idb_test

import (
	"testing"

	"kolibri/store/idb"
	"kolibri/store/storetest"
)

func TestConformance(t *testing.T) { storetest.RunDisk(t, idb.Disk) }

func TestSettings(t *testing.T) {
	storetest.Settings(t, idb.Disk, map[string]string{
		"locking_mode": "exclusive", "journal_mode": "memory", "synchronous": "1", "cache_size": "-16000",
		"temp_store": "2", "page_size": "4096", "foreign_keys": "1",
	})
}

func BenchmarkDisk(b *testing.B) { storetest.BenchDisk(b, idb.Disk) }
