//go:build unix

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"kolibri/core/device"
	"kolibri/server/pages"
)

var presets = []string{"informal", "nonformal", "formal"}

// provisionDevice sets a device up without the wizard.
// kolibri/core/device/management/commands/provisiondevice.py
func provisionDevice(c *command, args []string) int {
	var setup device.Setup
	var language, facilityFile, deviceFile string
	var noInput bool
	s, code := c.settings("manage provisiondevice", args, func(flags *flag.FlagSet) {
		flags.StringVar(&setup.FacilityName, "facility", "", "Facility name to create")
		flags.StringVar(&setup.Superuser.Username, "superusername", "", "Superuser username to create")
		flags.StringVar(&setup.Superuser.Password, "superuserpassword", "", "Superuser password to create")
		flags.StringVar(&setup.Preset, "preset", "", "Facility preset to use: "+strings.Join(presets, ", "))
		flags.StringVar(&language, "language_id", "", "Language id for default language")
		flags.StringVar(&facilityFile, "facility_settings", "", "JSON file containing facility settings")
		flags.StringVar(&deviceFile, "device_settings", "", "JSON file containing device settings")
		flags.BoolVar(&noInput, "noinput", false, "Do not prompt for input of any kind")
	})
	if s == nil {
		return code
	}
	for _, f := range []struct {
		path string
		into any
	}{{facilityFile, &setup.FacilitySettings}, {deviceFile, &setup.DeviceSettings}} {
		if f.path == "" {
			continue
		}
		if err := readJSON(f.path, f.into); err != nil {
			return c.usage("kolibri manage provisiondevice", err.Error())
		}
	}
	front, err := findFrontEnd("", c.log)
	if err != nil {
		return c.fail(err)
	}
	defer front.close()
	languages, err := front.languages()
	if err != nil {
		return c.fail(err)
	}
	if !noInput && !c.noInput {
		if err := c.askSetup(&setup, &language, languages); err != nil {
			return c.fail(err)
		}
	}
	switch {
	case setup.Preset != "" && !slices.Contains(presets, setup.Preset):
		return c.usage("kolibri manage provisiondevice", fmt.Sprintf("argument --preset: invalid choice: '%s' (choose from %s)", setup.Preset, strings.Join(presets, ", ")))
	case language != "" && front.root != nil && !slices.Contains(languages, language):
		return c.usage("kolibri manage provisiondevice", fmt.Sprintf("argument --language_id: invalid choice: '%s' (choose from %s)", language, strings.Join(languages, ", ")))
	case language != "":
		setup.DeviceSettings.Language = &language
	}
	if err := c.provision(s, front, setup); err != nil {
		return c.fail(err)
	}
	fmt.Fprintln(c.err, "The device has been provisioned.")
	return 0
}

// provision opens the home, beside a running server where there is one.
func (c *command) provision(s *settings, front *frontEnd, setup device.Setup) (err error) {
	ctx := context.Background()
	h, err := openHome(ctx, s, c.log, unused(s) == nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close(ctx)) }()
	host := hostOf(h)
	return device.Provision(ctx, &host, setup)
}

// provisionFromFile sets a new device up by KOLIBRI_AUTOMATIC_PROVISION_FILE. A file that cannot be
// used is reported; the wizard can still do it.
func (h *home) provisionFromFile(ctx context.Context) {
	path := h.settings.AutomaticProvisionFile
	if path == "" {
		return
	}
	var setup device.Setup
	err := readJSON(path, &setup)
	if err == nil {
		host := hostOf(h)
		err = device.Provision(ctx, &host, setup)
	}
	switch {
	case errors.Is(err, device.ErrProvisioned):
	case err != nil:
		h.log.Error("the device could not be provisioned automatically", "file", path, "error", err)
	default:
		h.log.Info("the device has been provisioned", "file", path)
	}
}

// readJSON reads a file whose every key must be known.
func readJSON(path string, into any) error {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the file '%s' does not exist", path)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	decoder := json.NewDecoder(f)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("the file '%s' cannot be used: %w", path, err)
	}
	return nil
}

// askSetup asks for what the arguments leave open, as the original does.
func (c *command) askSetup(setup *device.Setup, language *string, languages []string) error {
	in := bufio.NewReader(c.in)
	ask := func(prompt string, valid ...string) (string, error) {
		for {
			fmt.Fprint(c.out, prompt)
			line, err := in.ReadString('\n')
			answer := strings.TrimSpace(line)
			if answer != "" && (valid == nil || slices.Contains(valid, strings.ToLower(answer))) {
				return answer, nil
			}
			if errors.Is(err, io.EOF) {
				return "", errors.New("the input ended before all questions were answered; give them as arguments, with --no-input")
			}
			if err != nil {
				return "", err
			}
		}
	}
	for _, q := range []struct {
		value  *string
		prompt string
		valid  []string
	}{
		{&setup.FacilityName, "What do you wish to name your facility? ", nil},
		{&setup.Preset, "Which preset do you wish to use? [" + strings.Join(presets, "/") + "]: ", presets},
		{language, "Enter a default language code [" + strings.Join(languages, ",") + "]: ", languages},
		{&setup.Superuser.Username, "Enter a username for the super user: ", nil},
	} {
		if *q.value != "" {
			continue
		}
		answer, err := ask(q.prompt, q.valid...)
		if err != nil {
			return err
		}
		if *q.value = answer; q.valid != nil {
			*q.value = strings.ToLower(answer)
		}
	}
	for setup.Superuser.Password == "" {
		password, err := ask("Enter a password for the super user: ")
		if err != nil {
			return err
		}
		confirmed, err := ask("Confirm password for the super user: ")
		if err != nil {
			return err
		}
		if password == confirmed {
			setup.Superuser.Password = password
		}
	}
	return nil
}

// languages are the codes of the languages on offer.
func (f *frontEnd) languages() ([]string, error) {
	p, err := pages.Load(f.files, pages.Site{})
	if err != nil {
		return nil, err
	}
	var codes []string
	for _, l := range p.Languages() {
		codes = append(codes, l.ID)
	}
	return codes, nil
}
