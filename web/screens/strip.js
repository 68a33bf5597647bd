// The strip below Kolibri: the one place of the shell that stays in sight. It covers nothing of
// Kolibri's, tells when an update is ready, and opens the dialogue about storage.

import { byId, make } from "../dom.js";
import { openSharing } from "../share/panel.js";
import { openDialog } from "./dialog.js";
import { storageSections } from "./storage.js";

export class Strip {
	/**
	 * @param {import("../home.js").Home} home
	 * @param {import("../register.js").Registration} registration
	 * @param {import("../share/share.js").Share} share
	 * @param {import("../drives.js").Drives} drives
	 * @param {import("../channels.js").Channels} channels
	 */
	constructor(home, registration, share, drives, channels) {
		this.channels = channels;
		this.drives = drives;
		this.home = home;
		this.registration = registration;
		this.full = false;
		this.note = make("p", { role: "status" });
		const button = make(
			"button",
			{ "aria-haspopup": "dialog", onclick: () => this.open() },
			"Storage and backup",
		);
		const sharing = make("button", { "aria-haspopup": "dialog", onclick: () => openSharing(share) });
		const label = () => {
			sharing.textContent = share.active ? "Sharing this Kolibri" : "Share this Kolibri";
			sharing.classList.toggle("on", share.active);
		};
		share.addEventListener("change", label);
		label();
		const strip = byId("strip");
		strip.lang = "en";
		strip.dir = "ltr";
		strip.replaceChildren(this.note, make("span", {}, sharing, button));
	}

	/** @param {boolean} visible */
	show(visible) {
		byId("strip").hidden = !visible;
	}

	/** Something could not be saved. */
	warnFull() {
		this.full = true;
		this.refresh();
	}

	refresh() {
		let text = this.registration.updateWaits ? "An update is ready." : "";
		if (this.full) text = "This device is full. Nothing more can be saved until there is space again.";
		if (this.note.textContent !== text) this.note.textContent = text;
	}

	async open() {
		const sections = await storageSections(this.home, this.registration, this.drives, this.channels);
		openDialog(
			"Storage and backup",
			...sections,
			make("div", { class: "actions" }, make("button", { class: "main", "data-close": "" }, "Close")),
		);
	}
}
