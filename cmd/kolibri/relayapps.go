//go:build unix

package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kolibri/relay"
	"kolibri/relay/depot"
)

const relayAppsHelp = `
Commands for apps that run in browsers:
  kolibri relay deploy NAME FILE.js   Store the module and serve it at once
  kolibri relay rollback NAME         Serve the version before again, or --to VERSION
  kolibri relay versions NAME         List what was deployed
  kolibri relay apps                  List all apps
  kolibri relay remove NAME           Take an app away, with what it stored
They take --relay URL (http://127.0.0.1:8090) and --key KEY (the one of this computer's relay).
`

// relayKey reads the key for deploying from the home; make says to make one.
func relayKey(home string, make bool) (string, error) {
	path := filepath.Join(home, "relay", "key")
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !make {
		return "", errors.New("no relay was started on this computer yet: give its key by --key")
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	key := rand.Text()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	return key, os.WriteFile(path, []byte(key+"\n"), 0o600)
}

// relayClient speaks to a relay as its operator.
type relayClient struct{ url, key string }

// relayApps runs the commands that manage apps.
func relayApps(c *command, name string, args []string) int {
	commands := map[string]struct {
		usage string
		run   func(*command, *relayClient, []string, int64) error
	}{
		"deploy":   {"NAME FILE.js", deployApp},
		"rollback": {"NAME", rollBackApp},
		"versions": {"NAME", listVersions},
		"apps":     {"", listApps},
		"remove":   {"NAME", removeApp},
	}
	chosen, ok := commands[name]
	if !ok {
		names := []string{}
		for n := range commands {
			names = append(names, n)
		}
		return c.usage("kolibri relay", fmt.Sprintf("No such command '%s'.", name)+hint(nearest(name, names)))
	}
	client, to := &relayClient{}, int64(0)
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&client.url, "relay", "http://127.0.0.1:8090", "Address of the relay")
	flags.StringVar(&client.key, "key", os.Getenv("KOLIBRI_RELAY_ADMIN_KEY"), "The relay's key for deploying")
	if name == "rollback" {
		flags.Int64Var(&to, "to", 0, "Version to serve (the one before)")
	}
	rest, err := interspersed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(c.out, strings.TrimPrefix(relayAppsHelp, "\n"))
		return 0
	}
	if err != nil || len(rest) != len(strings.Fields(chosen.usage)) {
		return c.usage("kolibri relay "+name, strings.TrimSpace("it takes "+chosen.usage)+".")
	}
	if u, err := url.Parse(client.url); err != nil || u.Host == "" {
		return c.usage("kolibri relay "+name, "--relay is no address such as http://127.0.0.1:8090.")
	}
	if client.key == "" {
		home, err := homeDir()
		if err == nil {
			client.key, err = relayKey(home, false)
		}
		if err != nil {
			return c.fail(err)
		}
	}
	if err := chosen.run(c, client, rest, to); err != nil {
		return c.fail(err)
	}
	return 0
}

// interspersed parses flags that may stand behind other arguments.
func interspersed(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return rest, nil
		}
		rest = append(rest, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func (r *relayClient) call(method, path string, body []byte, result any) error {
	request, err := http.NewRequest(method, strings.TrimSuffix(r.url, "/")+relay.Own+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.key)
	client := &http.Client{Timeout: time.Minute}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the relay cannot be reached: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		var said struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(text, &said) != nil || said.Error == "" {
			said.Error = answer.Status
		}
		return errors.New("the relay says: " + said.Error)
	}
	return json.Unmarshal(text, result)
}

func deployApp(c *command, r *relayClient, args []string, _ int64) error {
	name, file := args[0], args[1]
	if !depot.IsName(name) {
		return depot.ErrName
	}
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if len(code) > depot.MaxCode {
		return fmt.Errorf("%s has more than %d bytes", file, depot.MaxCode)
	}
	var e relay.Endpoint
	if err := r.call(http.MethodPut, "apps/"+name, code, &e); err != nil {
		return err
	}
	return show(c, e)
}

func rollBackApp(c *command, r *relayClient, args []string, to int64) error {
	path := "apps/" + url.PathEscape(args[0]) + "/rollback"
	if to != 0 {
		path += "?to=" + strconv.FormatInt(to, 10)
	}
	var e relay.Endpoint
	if err := r.call(http.MethodPost, path, nil, &e); err != nil {
		return err
	}
	return show(c, e)
}

func show(c *command, e relay.Endpoint) error {
	_, err := fmt.Fprintf(c.out, "%s version %d is served at %s\n", e.Name, e.Version, strings.Join(e.URLs, " "))
	return err
}

func listVersions(c *command, r *relayClient, args []string, _ int64) error {
	var list []depot.Version
	if err := r.call(http.MethodGet, "apps/"+url.PathEscape(args[0]), nil, &list); err != nil {
		return err
	}
	for _, v := range list {
		mark := ""
		if v.Live {
			mark = "  served"
		}
		fmt.Fprintf(c.out, "%4d  %s  %d bytes%s\n", v.Version, time.UnixMilli(v.Created).Format(time.DateTime), v.Bytes, mark)
	}
	return nil
}

func listApps(c *command, r *relayClient, _ []string, _ int64) error {
	apps := map[string]int64{}
	if err := r.call(http.MethodGet, "apps", nil, &apps); err != nil {
		return err
	}
	for name, version := range apps {
		fmt.Fprintf(c.out, "%s version %d\n", name, version)
	}
	return nil
}

func removeApp(c *command, r *relayClient, args []string, _ int64) error {
	var done map[string]bool
	if err := r.call(http.MethodDelete, "apps/"+url.PathEscape(args[0]), nil, &done); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s is removed\n", args[0])
	return nil
}
