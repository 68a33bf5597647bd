// The strip below Kolibri: the one place of the shell that stays in sight. It covers nothing of
// Kolibri's and opens the dialogue with what concerns the browser: storage, backup, update.

import { byId, make } from "../dom.js";
import { addMark } from "../urls.js";

/** @typedef {import("../register.js").Registration} Registration */

export class Strip {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {import("../build.js").Build} options.build
	 * @param {import("../../worker/client.js").Connection} options.server
	 * @param {Registration} options.registration
	 * @param {() => void} options.restart
	 * @param {() => boolean} options.isBusy
	 */
	constructor(options) {
		this.options = options;
		this.note = make("p", { role: "status" });
		this.button = make(
			"button",
			{ "aria-haspopup": "dialog", onclick: () => this.open() },
			"Storage and backup",
		);
		const strip = byId("strip");
		strip.lang = "en";
		strip.dir = "ltr";
		strip.replaceChildren(this.note, this.button);
	}

	refresh() {
		this.note.textContent = this.options.registration.updateWaits ? "An update is ready." : "";
	}

	/** @param {URL} url */
	onPage(url) {
		this.refresh();
		void url;
	}

	async open() {}

	/** Saves the whole home as one file. */
	download() {
		const url = addMark(new URL("_host/backup", this.options.root), "");
		document.body.append(make("iframe", { src: url.href, hidden: true, title: "Download" }));
	}

	async reset() {
		await this.post("reset", null);
	}

	/** @param {string} what @param {ReadableStream<Uint8Array> | null} body */
	async post(what, body) {
		const { server, root, restart } = this.options;
		const answer = await server.request({ method: "POST", url: new URL(`_host/${what}`, root).href, body });
		restart();
		if (answer.status >= 300)
			throw new Error(new TextDecoder().decode(/** @type {Uint8Array} */ (answer.body)));
	}
}
