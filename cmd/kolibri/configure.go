//go:build unix

package main

import (
	"context"
	"fmt"
	"strings"
)

// configureVerb prepares a home as packages do at their installation, and lists the variables
// (kolibri/utils/cli.py: configure).
func configureVerb(c *command, args []string) int {
	if len(args) == 0 || args[0] == "--help" {
		fmt.Fprint(c.out, `Usage: kolibri configure COMMAND

Commands:
  list-env  List the environment variables that configure Kolibri
  setup     Make the home and its database, or bring them up to date
`)
		return 0
	}
	switch args[0] {
	case "list-env":
		return c.listVariables(args[1:])
	case "setup":
		return c.setUp(args[1:])
	}
	return c.usage("kolibri configure", fmt.Sprintf("No such command '%s'.", args[0])+hint(nearest(args[0], []string{"list-env", "setup"})))
}

func (c *command) listVariables(args []string) int {
	s, code := c.settings("configure list-env", args, nil)
	if s == nil {
		return code
	}
	fmt.Fprintln(c.out, "KOLIBRI_HOME - the folder of data and options.ini")
	for _, o := range options {
		fmt.Fprintf(c.out, "%s - %s in the section %s of options.ini\n", strings.Join(o.variables(), ", "), o.name, o.section)
	}
	return 0
}

func (c *command) setUp(args []string) int {
	s, code := c.settings("configure setup", args, nil)
	if s == nil {
		return code
	}
	ctx := context.Background()
	h, err := openHome(ctx, s, c.log, unused(s) == nil)
	if err == nil {
		err = h.close(ctx)
	}
	if err != nil {
		return c.fail(err)
	}
	c.log.Info("Kolibri has successfully been setup")
	return 0
}

// lackingVerbs are commands of the original that this program does not have, and why.
var lackingVerbs = map[string]string{
	"services": "the background work is a part of the server: use kolibri start",
	"shell":    "there is no Python in this server",
}

// lackingManageVerbs are the original's own management commands that this program does not have. Where
// another way leads to the same, it is named.
var lackingManageVerbs = map[string]string{
	"benchmark": "", "content": "", "createsuperuser": "use manage provisiondevice, or the page Facility > Users",
	"dbbackup": "copy db.sqlite3 while the server is stopped, or use pg_dump", "dbrestore": "put db.sqlite3 back while the server is stopped, or use pg_restore",
	"deleteuser": "use the page Facility > Users", "deprovision": "", "devicesettings": "use the page Device > Settings",
	"enumeratedrives": "", "exportusers": "use manage bulkexportusers", "flushsyncsessions": "use manage cleanupsyncs",
	"fullfacilitysync": "use manage sync", "generateuserdata": "", "importusers": "use manage bulkimportusers",
	"migrate": "kolibri start and kolibri configure setup do so", "ping": "", "profile": "", "recreatefacility": "",
	"registerfacility": "use the page Facility > Data", "scanforcontent": "", "setchannelposition": "use the page Device > Channels",
	"user_info": "", "vacuum": "",
}

// lackingText says that the original has a command and this program has not.
func lackingText(name, instead string) string {
	text := fmt.Sprintf("The command '%s' of the original is not a part of this server", name)
	if instead != "" {
		text += ": " + instead
	}
	return text + "."
}

// optionText puts the flag package's complaint into the words of the original's command line.
func optionText(err error) string {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return "No such option: --" + name
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return fmt.Sprintf("Option '--%s' requires an argument.", name)
	}
	return strings.Replace(text, " for flag -", " for option --", 1)
}
