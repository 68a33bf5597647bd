// The files of archives on the apps' origin, where its service worker finds them. Only those of apps that are
// shown right now are kept, and with the last of the others goes what they had stored: an app finds nothing
// of another, unless both are open at once.

import { charset } from "./files.js";

/** The cache of the files. */
export const SHELF = "kolibri-apps";

/** What Kolibri's server says of zip content, and puts first into its pages (kolibri/core/content/zip_wsgi.py). */
const POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'none'";
export const INITIALIZE =
	"if (window.parent && window.parent.sandbox) { try { window.parent.sandbox.initializeIframe(window) } catch (e) {} }";

/** Requests that wait do not reach a service worker: these get the file from the page that took it (guest.js). */
const WAITING = `{
	const open = XMLHttpRequest.prototype.open;
	let top = window;
	while (!top.kolibriApp && top !== top.parent) try { top = top.parent; top.kolibriApp } catch (e) { break }
	XMLHttpRequest.prototype.open = function (method, url, wait, ...more) {
		const at = wait === false && top.kolibriApp ? top.kolibriApp.link(new URL(url, document.baseURI)) : null;
		return at ? open.call(this, "GET", at, false, ...more) : open.apply(this, arguments);
	};
}`;

/** Files that are put down at once. */
const AT_ONCE = 16;

/**
 * @param {URL} folder `content/` on this origin; with a name of an archive, its files come below `zipcontent/`
 * @param {string | null} name
 * @param {Map<string, Blob>} files by path
 */
export async function keep(folder, name, files) {
	const cache = await caches.open(SHELF);
	const base = name === null ? folder : new URL(`zipcontent/${name}/`, folder);
	const next = files.entries();
	const work = async () => {
		for (const [path, blob] of next) {
			const url = new URL(path.split("/").map(encodeURIComponent).join("/"), base);
			await cache.put(url, await response(blob));
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** @param {Blob} blob */
async function response(blob) {
	const isPage = /^(?:text\/html|application\/xhtml)/.test(blob.type);
	const headers = {
		"Content-Type": isPage ? `${blob.type}; charset=utf-8` : blob.type,
		"Content-Security-Policy": POLICY,
		"X-Content-Type-Options": "nosniff",
	};
	return new Response(isPage ? initialized(await text(blob)) : blob, { headers });
}

/** @param {Blob} blob */
async function text(blob) {
	const bytes = new Uint8Array(await blob.arrayBuffer());
	return new TextDecoder(charset(String.fromCharCode(...bytes.subarray(0, 2048)))).decode(bytes);
}

/** @param {string} html @returns {string} the page, whose first script lets the player prepare its window */
export function initialized(html) {
	const first = `<script>${INITIALIZE};${WAITING}</script>`;
	const head =
		/<head(?:\s[^>]*)?>/i.exec(html) ?? /<html(?:\s[^>]*)?>/i.exec(html) ?? /^\s*<!doctype[^>]*>/i.exec(html);
	const at = head ? head.index + head[0].length : 0;
	return html.slice(0, at) + first + html.slice(at);
}

/**
 * Deletes what belongs to apps that nobody shows any more.
 * @param {URL} folder
 * @param {string} name of the archive that comes
 */
export async function forgetOthers(folder, name) {
	const { held = [] } = await navigator.locks.query();
	const shown = new Set(held.map((lock) => /^app (.+)$/.exec(lock.name ?? "")?.[1] ?? ""));
	const cache = await caches.open(SHELF);
	const archives = new Set();
	for (const { url } of await cache.keys()) {
		const of = /\/([0-9a-f]{32}\.[a-z0-9]+)(?:\/|$)/.exec(url.slice(folder.href.length - 1))?.[1] ?? "";
		archives.add(of);
		if (!shown.has(of)) await cache.delete(url);
	}
	const others = [...shown].filter((other) => other && other !== name);
	if (others.length === 0 && !archives.has(name)) await forgetStored();
}

/** What apps may have stored by themselves. */
async function forgetStored() {
	localStorage.clear();
	sessionStorage.clear();
	for (const name of await caches.keys()) if (!name.startsWith("kolibri-")) await caches.delete(name);
	for (const { name } of (await indexedDB.databases?.()) ?? []) if (name) indexedDB.deleteDatabase(name);
	const files = await navigator.storage.getDirectory().catch(() => null);
	for await (const name of /** @type {any} */ (files)?.keys() ?? [])
		await files?.removeEntry(name, { recursive: true });
}
