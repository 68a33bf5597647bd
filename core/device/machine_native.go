//go:build !js

package device

import (
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"kolibri/core/api"
)

// networkAddresses are the server's addresses on the networks that the machine is in.
func networkAddresses(o api.Options, prefix string) (all []string) {
	port := ""
	if o.HTTPPort != 80 {
		port = ":" + strconv.Itoa(o.HTTPPort)
	}
	if ip := net.ParseIP(o.ListenAddress); ip != nil && !ip.IsUnspecified() {
		if ip.IsLoopback() {
			return nil
		}
		return []string{"http://" + o.ListenAddress + port + prefix}
	}
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range found {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() {
			all = append(all, "http://"+n.IP.String()+port+prefix)
		}
	}
	return all
}

// timezone names the machine's time zone, such as "Africa/Nairobi".
func timezone() string {
	if name := time.Local.String(); name != "Local" && name != "" {
		return name
	}
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok {
			return name
		}
	}
	name, _ := time.Now().Zone()
	return name
}
