// The files that an app in an opaque frame may have: its own and those of the player. They go by the
// addresses that they would have on a server.

import { relocate, remodule, restyle } from "./markup.js";
import { typeOf } from "./unpack.js";

/** The browser's own, before apps are given another (realm.js). */
const openRequest = globalThis.XMLHttpRequest?.prototype.open;

export class Files {
	constructor() {
		/** @type {Map<string, Blob>} by address, without query and fragment, decoded */
		this.blobs = new Map();
		/** @type {Map<string, string>} `blob:` addresses by kind and address */
		this.links = new Map();
	}

	/** @param {Map<string, Blob>} files by path @param {string} folder address of the folder they lie in */
	add(files, folder) {
		for (const [path, blob] of files) this.blobs.set(decodeURI(folder) + path, blob);
	}

	/**
	 * @param {string | URL} address
	 * @param {string} base what it is relative to
	 * @returns {{url: URL, key: string, blob: Blob} | null} null: not among the files
	 */
	find(address, base) {
		let url;
		let key;
		try {
			url = new URL(address, base);
			key = decodeURIComponent(url.origin + url.pathname).replace(/([^:])\/{2,}/g, "$1/");
		} catch {
			return null;
		}
		if (key.endsWith("/")) key += "index.html";
		const blob = this.blobs.get(key);
		return blob ? { url, key, blob } : null;
	}

	/**
	 * @param {string} address
	 * @param {string} base
	 * @param {boolean} [module] it will be loaded as a module
	 * @returns {string | null} an address that a frame without server can load
	 */
	link(address, base, module = false) {
		if (/^(?:$|#|data:|blob:|about:|javascript:)/i.test(address.trim())) return null;
		const found = this.find(address, base);
		if (!found) return null;
		const { key, url, blob } = found;
		const name = `${module ? "module " : ""}${key}`;
		let made = this.links.get(name);
		if (!made) {
			// Known before it is made: style sheets may name each other in a circle.
			this.links.set(name, "about:blank");
			made = URL.createObjectURL(this.prepared(key, blob, module));
			this.links.set(name, made);
		}
		return made + url.hash;
	}

	/** @param {string} key @param {Blob} blob @param {boolean} module */
	prepared(key, blob, module) {
		const type = blob.type || typeOf(key);
		const link = (/** @type {string} */ a) => this.link(a, key);
		if (type === "text/css") return new Blob([restyle(text(blob), link)], { type });
		if (type !== "text/javascript") return blob;
		const js = module
			? remodule(text(blob), key, (a) => this.find(a, key)?.key ?? null)
			: relocate(text(blob));
		return new Blob([js], { type });
	}

	/** @returns {Record<string, string>} every script as a module, for an import map */
	modules() {
		const scripts = [...this.blobs].filter(([, { type }]) => type === "text/javascript");
		return Object.fromEntries(scripts.map(([key]) => [key, this.link(key, key, true) ?? ""]));
	}
}

/**
 * A file's text, at once: whoever asks is in the middle of setting an address.
 * @param {Blob} blob
 */
export function text(blob) {
	const link = URL.createObjectURL(blob);
	try {
		const request = new XMLHttpRequest();
		openRequest.call(request, "GET", link, false);
		request.overrideMimeType("text/plain; charset=x-user-defined");
		request.send();
		const raw = request.responseText;
		const bytes = Uint8Array.from({ length: raw.length }, (_, i) => raw.charCodeAt(i) & 0xff);
		return new TextDecoder(charset(raw)).decode(bytes);
	} finally {
		URL.revokeObjectURL(link);
	}
}

/** @param {string} raw a file's beginning, a character for each byte */
export function charset(raw) {
	const said = /<meta[^>]+charset\s*=\s*["']?([\w-]+)|^@charset "([\w-]+)"/i.exec(raw.slice(0, 2048));
	try {
		return new TextDecoder(said?.[1] ?? said?.[2] ?? "utf-8").encoding;
	} catch {
		return "utf-8";
	}
}
