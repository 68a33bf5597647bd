//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kolibri/core/auth/syncing"
	"kolibri/core/device"
	"kolibri/morango/transfer"
	"kolibri/server"
	"kolibri/store"
)

// syncFlags are the arguments that sync and resumesync share.
// kolibri/core/auth/management/commands/sync.py, resumesync.py
func syncFlags(flags *flag.FlagSet, o *syncing.Options, quiet *bool, chunk int64) {
	flags.StringVar(&o.BaseURL, "baseurl", "", "Address of the other device (default: the data portal)")
	flags.BoolVar(quiet, "noninteractive", false, "Ask for nothing")
	flags.Int64Var(&o.ChunkSize, "chunk-size", chunk, "Chunk size of records to send/retrieve per request, to begin with")
	flags.BoolVar(&o.NoPush, "no-push", false, "Do not push data to the server")
	flags.BoolVar(&o.NoPull, "no-pull", false, "Do not pull data from the server")
	flags.BoolVar(&o.NoProvision, "no-provision", false, "do not create a facility and superuser")
	flags.StringVar(&o.User, "user", "", "for single-user syncing, the user ID of the account to be synced")
	flags.BoolVar(&o.KeepAlive, "keep-alive", false, "do not close the sync session")
}

// syncVerb synchronizes a facility with another device.
func syncVerb(c *command, args []string) int {
	var o syncing.Options
	var quiet bool
	s, code := c.settings("manage sync", args, func(flags *flag.FlagSet) {
		syncFlags(flags, &o, &quiet, 200)
		flags.StringVar(&o.Facility, "facility", "", "ID of facility to sync")
		flags.StringVar(&o.Username, "username", "", "username of superuser or facility admin on server we are syncing with")
		flags.StringVar(&o.Password, "password", "", "password of superuser or facility admin on server we are syncing with")
	})
	if s == nil {
		return code
	}
	return c.sync(s, o, quiet)
}

// resumeSync goes on with a synchronization that was interrupted.
func resumeSync(c *command, args []string) int {
	var o syncing.Options
	var quiet bool
	s, code := c.settings("manage resumesync", args, func(flags *flag.FlagSet) {
		syncFlags(flags, &o, &quiet, 500)
		flags.StringVar(&o.Session, "id", "", "ID of an incomplete session to resume sync")
	})
	switch {
	case s == nil:
		return code
	case o.Session == "":
		return c.usage("kolibri manage resumesync", "--id is missing: the ID of the session to resume.")
	}
	return c.sync(s, o, quiet)
}

// sync runs a synchronization until it ends or a signal does; what was interrupted can be resumed.
func (c *command) sync(s *settings, o syncing.Options, quiet bool) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.BaseURL == "" {
		o.BaseURL = s.DataPortalBaseURL
	}
	if !quiet && !c.noInput {
		o.Ask = asker{c, bufio.NewReader(c.in)}
	}
	o.Progress = c.syncProgress()
	var id string
	err := c.withSyncer(ctx, s, func(y *syncing.Syncer) (err error) {
		id, err = y.Sync(ctx, o)
		return err
	})
	if err == nil {
		fmt.Fprintln(c.err, "Syncing has been completed.")
		return 0
	}
	if ctx.Err() != nil {
		fmt.Fprintln(c.err, "Syncing has been cancelled.")
	}
	if id != "" {
		fmt.Fprintf(c.err, "To go on with it: kolibri manage resumesync --id %s --baseurl %s\n", id, o.BaseURL)
	}
	return c.fail(err)
}

// withSyncer opens the home, beside a running server where there is one.
func (c *command) withSyncer(ctx context.Context, s *settings, fn func(*syncing.Syncer) error) (err error) {
	closing := context.WithoutCancel(ctx)
	h, err := openHome(ctx, s, c.log, unused(s) == nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(closing)) }()
	host := hostOf(h)
	host.Base = ctx
	if err := host.DB.Write(ctx, func(tx *store.Tx) error { return device.Identify(tx, &host) }); err != nil {
		return err
	}
	return fn(&syncing.Syncer{Host: &host, Controller: server.NewTransfers(&host)})
}

// syncProgress tells of each new state, and every second how many records have been moved.
func (c *command) syncProgress() func(syncing.Step) error {
	messages := map[string]string{
		syncing.StateRemoteQueuing: "Remotely preparing data", syncing.StateLocalDequeuing: "Locally integrating received data",
		syncing.StateLocalQueuing: "Locally preparing data to send", syncing.StateRemoteDequeuing: "Remotely integrating data",
	}
	var state string
	var told time.Time
	return func(step syncing.Step) error {
		moving := step.State == syncing.StatePulling || step.State == syncing.StatePushing
		if step.State == state && (!moving || time.Since(told) < time.Second) {
			return nil
		}
		state, told = step.State, time.Now()
		if moving && step.Total > 0 {
			verb := "Receiving"
			if step.Push {
				verb = "Sending"
			}
			fmt.Fprintf(c.err, "%s data (%d/%d, %d bytes)\n", verb, step.Transferred, step.Total, step.Sent+step.Received)
		} else if text := messages[state]; text != "" {
			fmt.Fprintln(c.err, text)
		}
		return nil
	}
}

// asker asks at the terminal.
type asker struct {
	*command
	lines *bufio.Reader
}

func (a asker) line(prompt string) (string, error) {
	fmt.Fprint(a.out, prompt)
	text, err := a.lines.ReadString('\n')
	if text == "" && err != nil {
		return "", fmt.Errorf("nobody answers: use --noninteractive with --facility, --username and --password (%w)", err)
	}
	return strings.TrimSpace(text), nil
}

// Facility implements syncing.Asker.
func (a asker) Facility(names []string) (int, error) {
	var b strings.Builder
	b.WriteString("Please choose a facility to sync with:\n")
	for i, name := range names {
		fmt.Fprintf(&b, "%d. %s\n", i+1, name)
	}
	text, err := a.line(b.String())
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(text)
	return n - 1, err
}

// Login implements syncing.Asker.
func (a asker) Login() (username, password string, err error) {
	if username, err = a.line("Please enter username: "); err != nil {
		return "", "", err
	}
	password, err = a.line("Please enter password: ")
	return username, password, err
}

// cleanUpSyncs closes sessions that nobody went on with.
// morango/management/commands/cleanupsyncs.py
func cleanUpSyncs(c *command, args []string) int {
	var e transfer.Expiry
	var ids string
	var hours int
	s, code := c.settings("manage cleanupsyncs", args, func(flags *flag.FlagSet) {
		flags.StringVar(&ids, "ids", "", "Comma separated list of SyncSession IDs to filter against")
		flags.IntVar(&hours, "expiration", 6, "Number of hours of inactivity after which a session should be considered stale")
		flags.StringVar(&e.ClientInstance, "client-instance-id", "", "Only sessions with this client instance")
		flags.StringVar(&e.ServerInstance, "server-instance-id", "", "Only sessions with this server instance")
		flags.StringVar(&e.Filter, "sync-filter", "", "Only transfers with this filter")
		flags.BoolVar(&e.Push, "push", false, "Only pushes")
		flags.BoolVar(&e.Pull, "pull", false, "Only pulls")
	})
	if s == nil {
		return code
	}
	if ids != "" {
		e.IDs = strings.Split(ids, ",")
	}
	err := c.withSyncer(context.Background(), s, func(y *syncing.Syncer) error {
		return y.Host.DB.Write(context.Background(), func(tx *store.Tx) error {
			e.Before = tx.Now().Add(-time.Duration(hours) * time.Hour)
			transfers, syncs, err := transfer.CleanUp(tx, e)
			if err == nil {
				fmt.Fprintf(c.err, "Closed %d transfer sessions and %d sync sessions.\n", transfers, syncs)
			}
			return err
		})
	})
	if err != nil {
		return c.fail(err)
	}
	return 0
}
