package main

// mounts lists the mounted file systems.
func mounts() ([]mount, error) { return readMounts("/proc/mounts") }
