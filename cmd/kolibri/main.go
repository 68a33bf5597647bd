//go:build unix

// Command kolibri is Kolibri's server for a classroom or a cloud: the handler that the tab runs in a
// worker, here behind a port, with the original's verbs and options (kolibri/utils/cli.py).
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"kolibri/core/api"
	"kolibri/provider/extract"
)

func main() {
	if extract.IsChild() { // the provider service has this program read a document
		os.Exit(extract.Child())
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// verb is one command of the command line; run returns the exit code.
type verb struct {
	name, help string
	run        func(c *command, args []string) int
}

func verbs() []verb {
	return []verb{
		{"configure", "Prepare the home, list environment variables", configureVerb},
		{"manage", "Management commands. See also 'kolibri manage help'", manage},
		{"plugin", "Manage Kolibri plugins", pluginVerb},
		{"relay", "Let browser tabs answer requests from outside", relayVerb},
		{"provider", "Serve one API over many learning platforms", providerVerb},
		{"ready", "Tell whether the Kolibri process is ready for requests", readyVerb},
		{"restart", "Restart the Kolibri process", restart},
		{"routes", "List the named routes that have no handler yet", routes},
		{"start", "Start the Kolibri process", start},
		{"status", "Show the status of the Kolibri process", statusVerb},
		{"stop", "Stop the Kolibri process", stop},
	}
}

// command is one invocation.
type command struct {
	in       io.Reader
	out, err io.Writer
	log      *slog.Logger
	noInput  bool
}

func run(args []string, in io.Reader, out, err io.Writer) int {
	c := &command{in: in, out: out, err: err, log: slog.New(slog.NewTextHandler(err, nil))}
	if len(args) == 0 {
		c.help(out)
		return 1
	}
	switch args[0] {
	case "--help", "-h":
		c.help(out)
		return 0
	case "--version":
		fmt.Fprintf(out, "kolibri, version %s\n", api.Version)
		return 0
	}
	var names []string
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(c, args[1:])
		}
		names = append(names, v.name)
	}
	if why, ok := lackingVerbs[args[0]]; ok {
		return c.usage("kolibri", lackingText(args[0], why))
	}
	return c.usage("kolibri", fmt.Sprintf("No such command '%s'.", args[0])+hint(nearest(args[0], names)))
}

// hint is a guess at what was meant, for the end of a message.
func hint(name string) string {
	if name == "" {
		return ""
	}
	return " Did you mean " + name + "?"
}

func (c *command) help(w io.Writer) {
	fmt.Fprint(w, `Usage: kolibri [OPTIONS] COMMAND [ARGS]...

  Kolibri's server. The home is KOLIBRI_HOME, or ~/.kolibri; its options are KOLIBRI_<NAME>
  variables or lines of options.ini there.

  Details for each main command: kolibri COMMAND --help

Options:
  --version  Show the version and exit.
  --help     Show this message and exit.

Commands:
`)
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-9s  %s\n", v.name, v.help)
	}
}

// settings reads a verb's flags and the home's options. Without settings the verb ends with the code.
func (c *command) settings(name string, args []string, define func(*flag.FlagSet)) (*settings, int) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	debug := flags.Bool("debug", false, "Display and log debug messages (for development)")
	flags.BoolVar(&c.noInput, "no-input", false, "Suppress user prompts")
	for _, name := range []string{"skip-update", "debug-database"} {
		flags.Bool(name, false, "Accepted for the original's sake")
	}
	if define != nil {
		define(flags)
	}
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.out, "Usage: kolibri %s [OPTIONS]\n\nOptions:\n", name)
		flags.VisitAll(func(f *flag.Flag) { fmt.Fprintf(c.out, "  --%-18s %s\n", f.Name, f.Usage) })
		return nil, 0
	case err != nil:
		return nil, c.usage("kolibri "+name, optionText(err))
	case flags.NArg() > 0:
		return nil, c.usage("kolibri "+name, fmt.Sprintf("Got unexpected extra argument (%s)", flags.Arg(0)))
	}
	home, err := homeDir()
	if err != nil {
		return nil, c.fail(err)
	}
	s, err := loadSettings(home, os.Environ())
	if err != nil {
		return nil, c.fail(err)
	}
	s.Debug = s.Debug || *debug
	c.log = newLog(c.err, s)
	return s, 0
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
