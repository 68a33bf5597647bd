// The part of the storage dialogue about folders and sticks with content.

import { make } from "../dom.js";
import { say } from "../say.js";

/** @param {import("../drives.js").Drives} drives */
export function drivesSection(drives) {
	const list = make("ul", { class: "drives" });
	const show = async () => {
		const all = await drives.known();
		list.replaceChildren(...all.map((drive) => entry(drives, drive, show)));
	};
	const drop = (/** @type {DragEvent} */ event) => {
		event.preventDefault();
		if (event.dataTransfer) drives.addDropped(event.dataTransfer).then(show);
	};
	const section = make(
		"section",
		{ ondragover: (/** @type {Event} */ event) => event.preventDefault(), ondrop: drop },
		make("h3", {}, say("Folders and sticks with content")),
		make(
			"p",
			{},
			say(
				"Kolibri shows a folder chosen here as an attached drive: import channels from it, or export to it.",
			),
		),
		list,
		drives.canPick
			? make("button", { onclick: () => drives.pick().then(show) }, say("Choose a folder…"))
			: make(
					"label",
					{},
					say("Choose a folder:"),
					" ",
					make("input", {
						type: "file",
						webkitdirectory: true,
						onchange: (/** @type {any} */ event) => drives.addFiles(event.target.files).then(show),
					}),
				),
	);
	show();
	return section;
}

/**
 * @param {import("../drives.js").Drives} drives
 * @param {import("../../worker/drives.js").Chosen} drive
 * @param {() => void} changed
 */
function entry(drives, drive, changed) {
	const allow = make("button", { onclick: () => drives.allow(drive).then(changed) }, say("Allow again"));
	const remove = make("button", { onclick: () => drives.remove(drive.id).then(changed) }, say("Remove"));
	return make("li", {}, `${drive.name} `, ...(drives.ready.has(drive.id) ? [] : [allow, " "]), remove);
}
