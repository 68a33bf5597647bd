// What the dialogue "Storage and backup" consists of.

import { make } from "../dom.js";
import { install, installable } from "../install.js";
import { later, say } from "../say.js";
import { size } from "../size.js";
import { channelsSection } from "./channels.js";
import { drivesSection } from "./drives.js";
import { confirmReset } from "./reset.js";

/** @typedef {import("../home.js").Home} Home */
/** @typedef {import("../register.js").Registration} Registration */

/** @param {string} title @param {...(Node | string)} content */
const section = (title, ...content) => make("section", {}, make("h3", {}, title), ...content);

/**
 * @param {Home} home
 * @param {Registration} registration
 * @param {import("../drives.js").Drives} drives
 * @param {import("../channels.js").Channels} channels
 * @returns {Promise<HTMLElement[]>}
 */
export async function storageSections(home, registration, drives, channels) {
	return [
		...(registration.updateWaits ? [update(registration)] : []),
		await space(home),
		channelsSection(channels),
		drivesSection(drives),
		backup(home),
		restore(home),
		...(installable() ? [installing()] : []),
		section(
			say("Start anew"),
			make("p", {}, say("Deletes everything that Kolibri keeps on this device.")),
			make(
				"button",
				{ class: "danger", onclick: () => confirmReset(() => home.reset()) },
				say("Delete all data…"),
			),
		),
	];
}

/** @param {Home} home */
async function space(home) {
	const text = make("p");
	const state = make("p", { role: "status" });
	const keep = make(
		"button",
		{
			onclick: async () => {
				await navigator.storage.persist();
				await show();
				if (!keep.hidden) state.append(" ", say("The browser did not agree; installing Kolibri may help."));
			},
		},
		say("Ask the browser to keep it"),
	);
	const show = async () => {
		const { usage, quota, persisted } = await home.space();
		text.replaceChildren(
			say("{used} used, {free} free for this site.", {
				used: size(usage),
				free: size(Math.max(0, quota - usage)),
			}),
		);
		state.replaceChildren(
			persisted
				? say("The browser keeps this data until you delete it.")
				: say("The browser may delete this data when the device runs out of space."),
		);
		keep.hidden = persisted;
	};
	await show();
	return section(say("Space"), text, state, keep, make("p", {}, offlineText(home)));
}

/** @param {Home} home */
function offlineText({ offline }) {
	if (offline.complete) return say("Kolibri works without a network, in every language.");
	if (offline.ready)
		return say("Kolibri works without a network. More languages and viewers are still being fetched.");
	return say("Kolibri is still being fetched for use without a network.");
}

/** @param {Home} home */
function backup(home) {
	return section(
		say("Backup"),
		make(
			"p",
			{},
			say(
				"Saves users, progress, classes and settings as one file, with the channels if you wish. Unzipped, it is a home for Kolibri on any computer.",
			),
		),
		make("button", { onclick: () => home.download(false) }, say("Download a backup")),
		make("button", { onclick: () => home.download(true) }, say("Download a backup with channels")),
		make("p", {}, say("With channels the file takes about as much room as Kolibri does here.")),
	);
}

/** @param {Home} home */
function restore(home) {
	const status = make("p", { role: "status" });
	const field = make("input", { type: "file", id: "restore-file", accept: ".zip,.sqlite3" });
	const go = make(
		"button",
		{ class: "danger", type: "submit", disabled: true },
		say("Replace everything by this backup"),
	);
	field.addEventListener("change", () => {
		go.disabled = !field.files?.length;
	});
	const form = make(
		"form",
		{
			onsubmit: async (/** @type {Event} */ event) => {
				event.preventDefault();
				go.disabled = true;
				status.replaceChildren(say("Restoring…"));
				const progress = (/** @type {number} */ done, /** @type {number} */ of) =>
					status.replaceChildren(say("Restoring: {done} of {of} files of channels…", { done, of }));
				await home.restore(field.files[0], progress).then(
					() => status.replaceChildren(say("Done. Kolibri starts with the restored data.")),
					(error) => status.replaceChildren(error.message),
				);
			},
		},
		make("p", {}, make("label", { htmlFor: "restore-file" }, say("Backup file:")), field),
		go,
		status,
	);
	return section(
		say("Restore"),
		make("p", {}, say("What is on this device now is replaced. The file is checked first.")),
		form,
	);
}

/** What a person is told who wants the new version at once. */
const OUTCOMES = {
	busy: later("There is unsaved work in a tab. Finish it first, or leave the update for the next start."),
	soon: later(
		"The running version is finishing something. The new one takes over in a few minutes, or when you open Kolibri next.",
	),
	done: later("The new version takes over."),
};

/** @param {Registration} registration */
function update(registration) {
	const status = make("p", { role: "status" });
	const go = make(
		"button",
		{
			onclick: async () => {
				go.disabled = true;
				const updated = await registration.updateNow();
				go.disabled = false;
				status.replaceChildren(say(OUTCOMES[updated]));
			},
		},
		say("Update now"),
	);
	const text = say("A new version is ready. It is used when you open Kolibri next, or at once if you wish.");
	return section(say("Update"), make("p", {}, text), go, status);
}

function installing() {
	return section(
		say("Install"),
		make("p", {}, say("Installed, Kolibri opens in its own window and works without a network.")),
		make("button", { onclick: () => install() }, say("Install Kolibri")),
	);
}
