// A place for an app where there is only one origin: a frame with an opaque origin. It has no storage, no
// service worker, no network (its policy refuses all), and a parent that it cannot look into. It gets the
// unpacked files of the one archive that is to be shown (inner.js).

/** The frame's policy: what Kolibri's server sends with zip content, without the server ('self'). */
const POLICY = "default-src 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'none'";

/** @typedef {import("./outer.js").Archive} Archive */

export class Opaque {
	/**
	 * @param {HTMLIFrameElement} frame
	 * @param {object} options
	 * @param {URL} options.root the app's folder
	 * @param {string} options.inner path of the script in the frame
	 * @param {string} options.page path of the player's page below `static/`
	 */
	constructor(frame, { root, inner, page }) {
		this.frame = frame;
		this.root = root;
		this.inner = inner;
		this.page = page;
	}

	async start() {
		const code = await (await fetch(new URL(this.inner, this.root))).text();
		const page = `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"></head><body style="margin:0"><script>${code.replace(/<\/(script)/gi, "<\\/$1")}</script></body></html>`;
		// Not srcdoc: a document of a data: address has an origin of its own, and frames inside share it.
		this.frame.src = `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
	}

	/** @param {any} data a message that is not for Kolibri's page */
	async hear(data) {
		if (data?.t === "inner") await this.player();
	}

	/** Kolibri's player: all files of the folders that it consists of. */
	async player() {
		const answer = await fetch(new URL("data/files.json", this.root));
		const list = /** @type {string[]} */ (await answer.json());
		const files = await Promise.all(
			list.filter(isOfPlayer).map(async (path) => {
				const answer = await fetch(new URL(path, this.root));
				return /** @type {const} */ ([path.slice("static/".length), await answer.blob()]);
			}),
		);
		this.send({ t: "player", root: this.root.href, page: this.page, files: new Map(files) });
	}

	/**
	 * @param {Archive} archive
	 * @param {URL} start what the page wants shown
	 * @returns {Promise<string>} where the player finds it
	 */
	async open({ name, blob, files }, start) {
		const before = start.href.slice(0, start.href.indexOf(name));
		this.send({ t: "app", folder: `${before}${name}/`, files });
		const zipcontent = new URL(`content/zipcontent/${name}/`, this.root).href;
		if (!start.href.startsWith(zipcontent)) {
			this.send({ t: "app", folder: zipcontent, files });
			this.send({ t: "app", folder: before, files: new Map([[name, blob]]) });
		}
		return start.href;
	}

	/** @param {object} message */
	send(message) {
		this.frame.contentWindow?.postMessage(message, "*");
	}
}

/** Whether a file of the build belongs to Kolibri's player. @param {string} path */
export const isOfPlayer = (path) => /^static\/(?:sandbox|h5p|bloom)\//.test(path);
