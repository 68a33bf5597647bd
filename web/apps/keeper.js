// The service worker of the apps' origin, for its folder content/: it answers for the files of the archives
// that are shown (shelf.js) and for Kolibri's player, also offline. It has no way to Kolibri's server, and
// what is neither is not there.

import { requested } from "../sw/content.js";
import { pathIn } from "../urls.js";
import { isOfPlayer } from "./opaque.js";
import { SHELF } from "./shelf.js";

/** @type {any} */
const worker = self;
const build = __BUILD__;
const root = new URL("..", self.location.href);
const PLAYER = `kolibri-player-${build.id}`;

worker.addEventListener("install", (/** @type {any} */ event) => {
	worker.skipWaiting();
	event.waitUntil(fill());
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
	event.waitUntil(
		caches
			.keys()
			.then((names) => names.filter((name) => name.startsWith("kolibri-player-") && name !== PLAYER))
			.then((old) => Promise.all(old.map((name) => caches.delete(name)))),
	);
});

/** All that the player consists of; what cannot be had now is fetched when it is asked for. */
async function fill() {
	const cache = await caches.open(PLAYER);
	const list = await fetch(new URL("data/files.json", root));
	const files = /** @type {string[]} */ (list.ok ? await list.json() : []).filter(isOfPlayer);
	const all = ["content/apps.html", build.guest, ...files].map((path) => new URL(path, root));
	await Promise.allSettled(all.map((url) => cache.add(url)));
}

worker.addEventListener("fetch", (/** @type {any} */ event) => {
	const url = new URL(event.request.url);
	const path = pathIn(url, root);
	if (path === null) return;
	if (/^content\/(?:zipcontent|storage)\//.test(path)) event.respondWith(kept(event.request, url, path));
	else if (path.startsWith("content/static/")) event.respondWith(own(path.slice("content/".length)));
	else if (path === "content/apps.html" || path === build.guest) event.respondWith(own(path));
	else event.respondWith(nothing(path));
});

/** @param {string} path of a file of the build */
async function own(path) {
	const cache = await caches.open(PLAYER);
	const url = new URL(path, root);
	const found = await cache.match(url, { ignoreVary: true });
	if (found) return found;
	const answer = await fetch(url);
	if (answer.status === 200) cache.put(url, answer.clone()).catch(() => {});
	return answer;
}

/** @param {Request} request @param {URL} url @param {string} path */
async function kept(request, url, path) {
	const cache = await caches.open(SHELF);
	const at = new URL(url.pathname.replace(/\/{2,}/g, "/").replace(/\/$/, "/index.html"), root);
	const found = await cache.match(at, { ignoreVary: true });
	if (!found) return nothing(path);
	const { headers } = found;
	const range = request.headers.get("Range");
	if (!range) return found;
	const file = await found.blob();
	const part = requested(range, file.size);
	if (part === null) return new Response(file, { headers });
	if (part === "beyond")
		return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${file.size}` } });
	const [from, to] = part;
	const some = new Headers(headers);
	some.set("Content-Range", `bytes ${from}-${to - 1}/${file.size}`);
	some.set("Content-Length", String(to - from));
	return new Response(file.slice(from, to), { status: 206, headers: some });
}

/** What Kolibri's player takes for a failure (kolibri/core/content/zip_wsgi.py). @param {string} path */
function nothing(path) {
	const text = `${path} does not exist`.replace(/[&"<>]/g, (c) => `&#${c.charCodeAt(0)};`);
	const headers = { "Content-Type": "text/html; charset=utf-8" };
	return new Response(`<meta name="sandbox-error" content="${text}">`, { status: 404, headers });
}
