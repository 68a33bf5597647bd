//go:build unix

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
)

// manageVerbs are those of the original's management commands that exist here.
func manageVerbs() []verb {
	return []verb{
		{"bulkexportusers", "Write the accounts of a facility to a CSV file", exportUsers},
		{"bulkimportusers", "Bring accounts into a facility from a CSV file", importUsers},
		{"changepassword", "Give somebody a new password", changePassword},
		{"cleanupsyncs", "Close synchronizations that nobody went on with", cleanUpSyncs},
		{"deletechannel", "Delete a channel from the device", deleteChannel},
		{"deletecontent", "Delete parts of a channel", deleteChannel},
		{"deletefacility", "Delete a facility with all its data", deleteFacility},
		{"exportchannel", "Copy a channel's database to a folder", exportChannel},
		{"exportcontent", "Copy a channel's files to a folder", exportContent},
		{"exportlogs", "Write what people did to a CSV file", exportLogs},
		{"importchannel", "Import a channel's database", importChannel},
		{"importcontent", "Import a channel's files", importContent},
		{"listchannels", "List the channels on the device", listChannels},
		{"movedatabase", "Copy this home's database to PostgreSQL, or back", moveDatabase},
		{"provisiondevice", "Provision a device for use", provisionDevice},
		{"resumesync", "Go on with a synchronization that was interrupted", resumeSync},
		{"sync", "Synchronize a facility with another device", syncVerb},
	}
}

func manage(c *command, args []string) int {
	if len(args) == 0 || args[0] == "--help" || args[0] == "help" && len(args) == 1 {
		fmt.Fprint(c.out, "\nType 'kolibri manage help <subcommand>' for help on a specific subcommand.\n\nAvailable subcommands:\n\n")
		for _, v := range manageVerbs() {
			fmt.Fprintf(c.out, "    %-16s  %s\n", v.name, v.help)
		}
		return 0
	}
	if args[0] == "help" {
		args = []string{args[1], "--help"}
	}
	var names []string
	for _, v := range manageVerbs() {
		if v.name == args[0] {
			return v.run(c, args[1:])
		}
		names = append(names, v.name)
	}
	if instead, ok := lackingManageVerbs[args[0]]; ok {
		fmt.Fprintln(c.err, lackingText("manage "+args[0], instead))
		return 1
	}
	fmt.Fprintf(c.err, "Unknown command: %q.%s\nType 'kolibri manage help' for usage.\n", args[0], hint(nearest(args[0], names)))
	return 1
}

// routes lists the routes that have no handler yet, of a server on a home of its own.
func routes(c *command, args []string) int {
	s, code := c.settings("routes", args, nil)
	if s == nil {
		return code
	}
	dir, err := os.MkdirTemp("", "kolibri-routes-")
	if err != nil {
		return c.fail(err)
	}
	defer os.RemoveAll(dir)
	if s, err = loadSettings(dir, nil); err != nil {
		return c.fail(err)
	}
	lines, err := unbuilt(s)
	if err != nil {
		return c.fail(err)
	}
	for _, line := range lines {
		fmt.Fprintln(c.out, line)
	}
	return 0
}

func unbuilt(s *settings) ([]string, error) {
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	front, err := findFrontEnd("", quiet)
	if err != nil {
		return nil, err
	}
	defer front.close()
	h, err := openHome(ctx, s, quiet, false)
	if err != nil {
		return nil, err
	}
	defer h.db.Close()
	kolibri, err := newServer(ctx, h, front)
	if err != nil {
		return nil, err
	}
	defer kolibri.Close()
	return kolibri.Unbuilt(), nil
}
