//go:build unix

// Package interop runs a real Kolibri 0.19.5 and this project's server in turn on one home, and
// checks that each finds what the other left.
package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// reference is the variable that names an installed original's command.
const reference = "KOLIBRI_REFERENCE"

// Original finds the command of a real Kolibri: the one that KOLIBRI_REFERENCE names, or one that pip
// installs, pinned by version and hash, from the wheel that the build has fetched, into a virtual
// environment in the cache folder.
func Original(root string) (string, error) {
	if command := os.Getenv(reference); command != "" {
		return command, nil
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	venv := filepath.Join(root, ".cache", "kolibri-0.19.5")
	command := filepath.Join(venv, "bin", "kolibri")
	if _, err := os.Stat(command); err == nil {
		return command, nil
	}
	for _, step := range [][]string{
		{"python3", "-m", "venv", "--clear", venv},
		{filepath.Join(venv, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes",
			"--no-index", "--find-links", filepath.Join(root, ".cache", "wheel"), "-r", filepath.Join(root, "cmd", "bundle", "wheel.txt")},
	} {
		out, err := exec.Command(step[0], step[1:]...).CombinedOutput()
		if err != nil {
			return "", errors.Join(fmt.Errorf("%s: %w: %s", strings.Join(step, " "), err, out), os.RemoveAll(venv))
		}
	}
	return command, nil
}
