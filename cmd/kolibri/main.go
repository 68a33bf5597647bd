// Command kolibri is Kolibri's server for a classroom or a cloud: the handler that the tab runs in a
// worker, here behind a port, with the original's verbs and options (kolibri/utils/cli.py).
package main

import (
	"fmt"
	"io"
	"os"

	"kolibri/core/api"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// verb is one command of the command line; run returns the exit code.
type verb struct {
	name, help string
	run        func(c *command, args []string) int
}

func verbs() []verb {
	return []verb{
		{"start", "Start the Kolibri process", start},
		{"routes", "List the named routes that have no handler yet", routes},
	}
}

// command is one invocation.
type command struct {
	out, err io.Writer
}

func run(args []string, out, err io.Writer) int {
	c := &command{out: out, err: err}
	if len(args) == 0 {
		c.help(out)
		return 1
	}
	switch args[0] {
	case "--help", "-h", "help":
		c.help(out)
		return 0
	case "--version":
		fmt.Fprintf(out, "kolibri, version %s\n", api.Version)
		return 0
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(c, args[1:])
		}
	}
	return c.usage("kolibri", fmt.Sprintf("No such command '%s'.", args[0]))
}

func (c *command) help(w io.Writer) {
	fmt.Fprint(w, "Usage: kolibri [OPTIONS] COMMAND [ARGS]...\n\n  Kolibri's server.\n\nOptions:\n  --version  Show the version and exit.\n  --help     Show this message and exit.\n\nCommands:\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-9s  %s\n", v.name, v.help)
	}
}

// usage reports a mistake in the arguments; its code is the original's.
func (c *command) usage(name, message string) int {
	fmt.Fprintf(c.err, "Usage: %s [OPTIONS]\nTry '%s --help' for help.\n\nError: %s\n", name, name, message)
	return 2
}

// fail reports why a command could not do its work.
func (c *command) fail(err error) int {
	fmt.Fprintln(c.err, "Error:", err)
	return 1
}
