package device

import (
	"syscall/js"

	"kolibri/core/api"
)

// networkAddresses: nobody can connect to a browser.
func networkAddresses(api.Options, string) []string { return nil }

// timezone names the time zone that the browser is set to.
func timezone() string {
	return js.Global().Get("Intl").Call("DateTimeFormat").Call("resolvedOptions").Get("timeZone").String()
}
