// What a person sees when Kolibri cannot start: what happened, what to do, and a report to hand on.
// Nothing here deletes anything without being told to in so many words.

import { byId, make } from "../dom.js";
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
		title: "Kolibri could not be loaded",
		advice:
			"The server program did not arrive. Check the connection, then try again. What you saved before is still on this device.",
	},
	missing: {
		title: "Kolibri could not be loaded",
		advice:
			"The site does not have the server program where it should be. Try again later, or tell whoever runs this site.",
	},
	damaged: {
		title: "Kolibri was not loaded completely",
		advice: "The server program arrived damaged or cut short. Trying again loads it anew.",
	},
	insecure: {
		title: "This address is not secure enough",
		advice:
			"Browsers let Kolibri store data only at addresses that begin with https:// or on this computer itself (localhost). Open Kolibri at such an address, and not in a private window.",
	},
	"no-storage": {
		title: "There is nowhere to save",
		advice:
			"This browser gives Kolibri no place for its data, so nothing you do would last. Private windows and blocked site data are common reasons; an ordinary window of a current browser works.",
	},
	full: {
		title: "This device is full",
		advice:
			"There is no space left for Kolibri's data. Nothing was lost. Free some space on this device, then try again.",
	},
	busy: {
		title: "Kolibri's data is in use",
		advice: "Another tab still holds the data. Close other tabs with Kolibri, then try again.",
	},
	"damaged-database": {
		title: "Kolibri's data is damaged",
		advice:
			"The database cannot be read. Nothing was changed. Save a copy first: it may be possible to repair it. After that you can restore a backup or start anew.",
	},
	"newer-database": {
		title: "This data belongs to a newer Kolibri",
		advice:
			"A newer version was used here before. This version would damage its data. Load the page again to get the newer version.",
	},
	crashed: {
		title: "Kolibri stopped unexpectedly",
		advice:
			"Try again. What was saved is still on this device. If it happens again, send the report below to whoever runs this site.",
	},
};

/** @param {Failure} failure @param {Remedies} remedies */
export function showFailure(failure, remedies) {
	const { title, advice } = TEXTS[failure.code] ?? TEXTS.crashed;
	const report = reportOf(failure, remedies.build);
	const actions = make(
		"div",
		{ class: "actions" },
		make("button", { class: "main", onclick: remedies.retry }, "Try again"),
	);
	const { backup, reset } = remedies;
	if (backup) actions.append(make("button", { onclick: backup }, "Download a copy of the data"));
	if (reset)
		actions.append(make("button", { class: "danger", onclick: () => confirmReset(reset) }, "Start anew…"));
	const copied = make("span", { role: "status" });
	const copy = make(
		"button",
		{
			onclick: async () => {
				await navigator.clipboard.writeText(report).then(
					() => copied.replaceChildren(" Copied."),
					() => copied.replaceChildren(" Please select and copy the text."),
				);
			},
		},
		"Copy the report",
	);
	const screen = byId("screen");
	screen.replaceChildren(
		make("div", { role: "alert" }, make("h2", {}, title), make("p", {}, advice)),
		actions,
		make(
			"details",
			{},
			make("summary", {}, "Report"),
			make("pre", { tabIndex: 0, "aria-label": "Report" }, report),
			copy,
			copied,
		),
	);
	screen.hidden = false;
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
