package session

import (
	"encoding/json"

	"kolibri/morango"
	"kolibri/store"
)

// Instance is this device as a sync session describes it.
type Instance struct {
	ID string
	// Text is the description as it travels, JSON. The original tells where its database lies, too;
	// that is nobody else's business.
	Text string
}

// DescribeInstance describes this device. morango/api/serializers.py: InstanceIDSerializer
func DescribeInstance(tx *store.Tx, kolibri string) (Instance, error) {
	current, err := morango.CurrentInstance(tx)
	if err != nil {
		return Instance{}, err
	}
	d := struct {
		ID         string `json:"id"`
		Platform   string `json:"platform"`
		Hostname   string `json:"hostname"`
		SysVersion string `json:"sysversion"`
		NodeID     string `json:"node_id"`
		Database   string `json:"database"`
		DBPath     string `json:"db_path"`
		SystemID   string `json:"system_id"`
		Kolibri    string `json:"kolibri"`
	}{ID: current.ID, Database: current.DatabaseID, Kolibri: kolibri}
	err = tx.QueryRow("SELECT platform, hostname, sysversion, node_id, system_id FROM morango_instanceidmodel WHERE id = ?", current.ID).
		Scan(&d.Platform, &d.Hostname, &d.SysVersion, &d.NodeID, &d.SystemID)
	if err != nil {
		return Instance{}, err
	}
	text, err := json.Marshal(d)
	return Instance{current.ID, string(text)}, err
}
