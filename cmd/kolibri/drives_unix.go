//go:build unix && !linux

package main

import (
	"os/exec"
	"strings"
)

// mounts lists the mounted file systems, as `mount` prints them: /dev/disk1s1 on /Volumes/HP v125w (msdos, local).
func mounts() ([]mount, error) {
	text, err := exec.Command("mount").Output()
	if err != nil {
		return nil, err
	}
	var all []mount
	for _, line := range strings.Split(string(text), "\n") {
		at := strings.LastIndex(line, " (")
		if at < 0 {
			continue
		}
		device, path, ok := strings.Cut(line[:at], " on ")
		filesystem, _, _ := strings.Cut(strings.TrimRight(line[at+2:], ")"), ",")
		if ok {
			all = append(all, mount{device, path, filesystem})
		}
	}
	return all, nil
}
