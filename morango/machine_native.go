//go:build !js

package morango

import (
	"net"
	"os"
	"runtime"
	"sort"
	"strings"
)

// ThisMachine identifies the machine: by MORANGO_SYSTEM_ID and MORANGO_NODE_ID where they are set,
// else by the machine's id and its first network card with a globally unique address.
// morango/models/utils.py: get_0_5_system_id, get_0_5_mac_address
func ThisMachine() Machine {
	name, _ := os.Hostname()
	m := Machine{Platform: runtime.GOOS + "-" + runtime.GOARCH, Hostname: name, SysVersion: runtime.Version()}
	if id := os.Getenv("MORANGO_SYSTEM_ID"); len(strings.TrimSpace(id)) >= 3 {
		m.SystemID = Hashed(id)
	} else if text, err := os.ReadFile("/etc/machine-id"); err == nil {
		m.SystemID = Hashed(strings.TrimSpace(string(text)))
	}
	if id := os.Getenv("MORANGO_NODE_ID"); len(strings.TrimSpace(id)) >= 3 {
		m.NodeID = Hashed(id)
	} else {
		m.NodeID = Hashed(hardwareAddress())
	}
	return m
}

// hardwareAddress is that of the card most likely to stay: wired before wireless before others.
func hardwareAddress() string {
	cards, err := net.Interfaces()
	if err != nil {
		return ""
	}
	sort.Slice(cards, func(i, j int) bool { return cardRank(cards[i].Name) < cardRank(cards[j].Name) })
	for _, c := range cards {
		const local = 2 // the bit of an address that nobody assigned
		if len(c.HardwareAddr) == 6 && c.HardwareAddr[0]&local == 0 && c.HardwareAddr.String() != "00:00:00:00:00:00" {
			return c.HardwareAddr.String()
		}
	}
	return ""
}

func cardRank(name string) string {
	name = strings.ToLower(name)
	switch {
	case strings.HasPrefix(name, "eth"), strings.HasPrefix(name, "en"):
		return "0" + name
	case strings.HasPrefix(name, "wl"):
		return "1" + name
	case strings.HasPrefix(name, "e"), strings.HasPrefix(name, "w"):
		return "2" + name
	}
	return name
}
