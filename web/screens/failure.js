// What a person sees when Kolibri cannot start: what happened, what to do, and a report to hand on.
// Nothing here deletes anything without being told to in so many words.

import { byId, make } from "../dom.js";
import { later, say, tongue } from "../say.js";
import { confirmReset } from "./reset.js";

/**
 * @typedef {object} Failure
 * @property {string} code from web/module.js, wasm/main_js.go or shell.js
 * @property {string} message for the report
 *
 * @typedef {object} Remedies
 * @property {() => void} retry
 * @property {(() => void) | null} backup saves the data as it is, where the server can still do that
 * @property {(() => Promise<void>) | null} reset
 * @property {string} build
 */

/** @type {Record<string, {title: string, advice: string}>} */
const TEXTS = {
	unreachable: {
		title: later("Kolibri could not be loaded"),
		advice: later(
			"The server program did not arrive. Check the connection, then try again. What you saved before is still on this device.",
		),
	},
	missing: {
		title: later("Kolibri could not be loaded"),
		advice: later(
			"The site does not have the server program where it should be. Try again later, or tell whoever runs this site.",
		),
	},
	damaged: {
		title: later("Kolibri was not loaded completely"),
		advice: later("The server program arrived damaged or cut short. Trying again loads it anew."),
	},
	insecure: {
		title: later("This address is not secure enough"),
		advice: later(
			"Browsers let Kolibri store data only at addresses that begin with https:// or on this computer itself (localhost). Open Kolibri at such an address, and not in a private window.",
		),
	},
	"no-storage": {
		title: later("There is nowhere to save"),
		advice: later(
			"This browser gives Kolibri no place for its data, so nothing you do would last. Private windows and blocked site data are common reasons; an ordinary window of a current browser works.",
		),
	},
	full: {
		title: later("This device is full"),
		advice: later(
			"There is no space left for Kolibri's data. Nothing was lost. Free some space on this device, then try again.",
		),
	},
	busy: {
		title: later("Kolibri's data is in use"),
		advice: later("Another tab still holds the data. Close other tabs with Kolibri, then try again."),
	},
	"damaged-database": {
		title: later("Kolibri's data is damaged"),
		advice: later(
			"The database cannot be read. Nothing was changed. Save a copy first: it may be possible to repair it. After that you can restore a backup or start anew.",
		),
	},
	"newer-database": {
		title: later("This data belongs to a newer Kolibri"),
		advice: later(
			"A newer version was used here before. This version would damage its data. Load the page again to get the newer version.",
		),
	},
	crashed: {
		title: later("Kolibri stopped unexpectedly"),
		advice: later(
			"Try again. What was saved is still on this device. If it happens again, send the report below to whoever runs this site.",
		),
	},
};

/** @param {Failure} failure @param {Remedies} remedies */
export function showFailure(failure, remedies) {
	const { title, advice } = TEXTS[failure.code] ?? TEXTS.crashed;
	const report = reportOf(failure, remedies.build);
	const actions = make(
		"div",
		{ class: "actions" },
		make("button", { class: "main", onclick: remedies.retry }, say("Try again")),
	);
	const { backup, reset } = remedies;
	if (backup) actions.append(make("button", { onclick: backup }, say("Download a copy of the data")));
	if (reset)
		actions.append(
			make("button", { class: "danger", onclick: () => confirmReset(reset) }, say("Start anew…")),
		);
	const copied = make("span", { role: "status" });
	const copy = make(
		"button",
		{
			onclick: async () => {
				await navigator.clipboard.writeText(report).then(
					() => copied.replaceChildren(` ${say("Copied.")}`),
					() => copied.replaceChildren(` ${say("Please select and copy the text.")}`),
				);
			},
		},
		say("Copy the report"),
	);
	const screen = byId("screen");
	screen.replaceChildren(
		make("div", { role: "alert" }, make("h2", {}, say(title)), make("p", {}, say(advice))),
		actions,
		make(
			"details",
			{},
			make("summary", {}, say("Report")),
			make("pre", { tabIndex: 0, "aria-label": say("Report") }, report),
			copy,
			copied,
		),
	);
	Object.assign(screen, tongue(), { hidden: false });
	actions.querySelector("button")?.focus();
}

/** @param {Failure} failure @param {string} build */
function reportOf({ code, message }, build) {
	return [
		`Kolibri in the browser, build ${build}`,
		`${code}: ${message}`,
		`at ${new Date().toISOString()} on ${location.origin}${location.pathname}`,
		navigator.userAgent,
	].join("\n");
}
