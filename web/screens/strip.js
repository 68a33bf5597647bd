// The strip below Kolibri: the one place of the shell that stays in sight. It covers nothing of
// Kolibri's, tells when an update is ready, and opens the dialogue about storage.

import { byId, make } from "../dom.js";
import { say, tongue } from "../say.js";
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
		this.share = share;
		this.full = false;
		this.note = make("p", { role: "status" });
		this.storage = make("button", { "aria-haspopup": "dialog", onclick: () => this.open() });
		this.sharing = make("button", { "aria-haspopup": "dialog", onclick: () => openSharing(share) });
		share.addEventListener("change", () => this.refresh());
		byId("strip").replaceChildren(this.note, make("span", {}, this.sharing, this.storage));
		this.refresh();
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

	/** Says what is so now, in the language of now. */
	refresh() {
		const { active } = this.share;
		this.sharing.textContent = active ? say("Sharing this Kolibri") : say("Share this Kolibri");
		this.sharing.classList.toggle("on", active);
		this.storage.textContent = say("Storage and backup");
		let text = this.registration.updateWaits ? say("An update is ready.") : "";
		if (this.full) text = say("This device is full. Nothing more can be saved until there is space again.");
		if (this.note.textContent !== text) this.note.textContent = text;
		Object.assign(byId("strip"), tongue());
	}

	async open() {
		const sections = await storageSections(this.home, this.registration, this.drives, this.channels);
		openDialog(
			say("Storage and backup"),
			...sections,
			make("div", { class: "actions" }, make("button", { class: "main", "data-close": "" }, say("Close"))),
		);
	}
}
