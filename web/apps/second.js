// A place for apps on an origin of their own that the host of the build has set up: there the same folder is
// served, a service worker answers for the files of the one archive (keeper.js), and the app has addresses,
// storage and workers as on a Kolibri server. guest.js is this window's counterpart there.

/** An origin that does not answer in this time counts as not there. */
const PATIENCE_MS = 8000;

/** @typedef {import("./outer.js").Archive} Archive */

export class Second {
	/**
	 * @param {HTMLIFrameElement} frame
	 * @param {object} options
	 * @param {URL} options.root the app's folder
	 * @param {URL} options.at the same folder on the apps' origin
	 * @param {string} options.page path of the player's page below `static/`
	 */
	constructor(frame, { root, at, page }) {
		this.frame = frame;
		this.root = root;
		this.at = at;
		this.page = page;
		/** @type {Map<string, {resolve: (data: any) => void, reject: (error: Error) => void}>} what is waited for */
		this.waiting = new Map();
	}

	async start() {
		const ready = this.answer("ready", PATIENCE_MS);
		this.frame.addEventListener("load", () => this.send({ t: "hello" }), { once: true });
		this.frame.src = new URL("content/apps.html", this.at).href;
		await ready;
		this.send({ t: "player", page: this.page });
	}

	/**
	 * @param {Archive} archive
	 * @param {URL} start what the page wants shown
	 * @returns {Promise<string>} where the player finds it
	 */
	async open({ name, blob, files }, start) {
		const path = start.pathname.slice(this.root.pathname.length);
		const isPage = path.startsWith("content/zipcontent/");
		const kept = this.answer("kept");
		this.send({ t: "app", name, files, archive: isPage ? null : { path, blob } });
		await kept;
		return new URL(path + start.search + start.hash, this.at).href;
	}

	/**
	 * @param {string} what
	 * @param {number} [patience] milliseconds
	 */
	answer(what, patience) {
		return new Promise((resolve, reject) => {
			this.waiting.set(what, { resolve, reject });
			if (patience) setTimeout(reject, patience, new Error(`${this.at.origin} does not answer`));
		});
	}

	/** @param {any} data a message that is not for Kolibri's page */
	async hear(data) {
		if (data?.t === "ready" || data?.t === "kept") this.waiting.get(data.t)?.resolve(data);
		if (data?.t === "failed")
			for (const { reject } of this.waiting.values()) reject(new Error(String(data.message)));
	}

	/** @param {object} message */
	send(message) {
		this.frame.contentWindow?.postMessage(message, this.at.origin);
	}
}
