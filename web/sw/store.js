// The build's files in CacheStorage. There is one cache for each build, so that no page can get
// files of two. The browser's HTTP cache is passed by when a cache is filled: a plain host sends
// no caching headers, and the browser's guess would put an old file under the new build's name.
//
// The WebAssembly is the exception: its name carries its content's hash, and only an answer from the
// HTTP cache comes with compiled code (docs/protocol.md, "Start").

/** @typedef {import("../build.js").Build} Build */

/** Names that stand for their content: they carry a version or a hash (as natively, cmd/kolibri/files.go). */
const LASTING = /\d+\.\d+\.\d+|[0-9a-f]{16}/;

/** Files fetched at once: enough to keep a connection busy, few enough to leave room for the page. */
const AT_ONCE = 3;

/** @param {URL} root @param {string} id the build's */
export const cacheName = (root, id) => `kolibri:${root.pathname}:build:${id}`;

/** What a tab needs to open the shell. @param {Build} build @returns {{url: string}[]} */
export const theShell = ({ shell, css, worker, shim }) =>
	["./", shell, css, worker, shim].map((url) => ({ url }));

/**
 * What has to be there before the app can be opened offline, first things first.
 * @param {Build} build
 * @returns {{url: string, bytes?: number}[]}
 */
export function essentials(build) {
	const { all, page } = build.bundles;
	const lists = [all, ...Object.values(page)].flatMap(({ ltr, rtl }) => [ltr ?? [], rtl ?? []]);
	return [
		...build.precache.map((url) => ({ url })),
		{ url: build.wasm, bytes: build.wasmBytes },
		...lists.flat().map((url) => ({ url })),
		{ url: build.fonts.common },
		{ url: build.fonts.lang.en },
		{ url: "data/messages/en.json" },
	];
}

/** Other languages' messages, and fonts: half of the build, and seldom needed at once. */
const LATER = /^data\/messages\/|^static\/assets\/fonts\//;

/**
 * Everything else: what pages load only when they need it.
 * @param {Cache} cache
 * @param {URL} root
 * @param {boolean} languages all languages and their fonts as well
 * @returns {Promise<{url: string}[]>}
 */
export async function extras(cache, root, languages) {
	const list = new URL("data/files.json", root);
	await fill(cache, root, [{ url: list.href }]);
	const kept = await cache.match(list);
	const files = kept ? /** @type {string[]} */ (await kept.json()) : [];
	return files.filter((url) => languages || !LATER.test(url)).map((url) => ({ url }));
}

/**
 * Puts files into a cache that are not there yet. What cannot be had now is left for another time.
 * @param {Cache} cache
 * @param {URL} root
 * @param {{url: string, bytes?: number}[]} files
 * @param {AbortSignal} [signal] ends it before the next file
 * @returns {Promise<boolean>} all of them are there
 */
export async function fill(cache, root, files, signal) {
	const have = new Set((await cache.keys()).map((request) => request.url));
	const missing = files.filter(({ url }) => !have.has(new URL(url, root).href));
	const unique = [...new Map(missing.map((file) => [file.url, file])).values()];
	let failed = 0;
	const next = unique[Symbol.iterator]();
	const work = async () => {
		for (const file of next) {
			if (signal?.aborted || !(await add(cache, new URL(file.url, root), file.bytes))) failed++;
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, work));
	return failed === 0;
}

/**
 * @param {Cache} cache
 * @param {URL} url
 * @param {number} [bytes] the only right length, where it is known
 */
async function add(cache, url, bytes) {
	try {
		const hashed = url.pathname.endsWith(".wasm");
		const response = await fetch(url, { cache: hashed ? "force-cache" : "reload" });
		if (response.status !== 200) return false;
		if (bytes === undefined) {
			await keep(cache, url.href, response);
			return true;
		}
		const body = await response.blob();
		if (body.size !== bytes) return false;
		await cache.put(url, new Response(body, { headers: response.headers }));
		return true;
	} catch {
		return false; // offline, or no space left: the app works on without this copy
	}
}

/**
 * Puts a file into a cache. Every page asks for the same scripts and styles again: those whose names
 * stand for their content the browser may take from its memory, without asking here. A plain host does
 * not say so, and of a file that was put there a moment ago the browser does not think so.
 * @param {Cache} cache
 * @param {string} url
 * @param {Response} response whole, status 200
 */
async function keep(cache, url, response) {
	if (!LASTING.test(url.slice(url.lastIndexOf("/")))) return cache.put(url, response);
	const headers = new Headers(response.headers);
	headers.set("Cache-Control", "max-age=315360000, public, immutable");
	// These are about the way to here.
	headers.delete("Content-Encoding");
	headers.delete("Content-Length");
	return cache.put(url, new Response(await response.blob(), { headers }));
}

/**
 * A file of the build: from the build's cache, else from the host, else from the release before,
 * whose pages may still be open.
 * @param {Request} request
 * @param {Cache} cache
 */
export async function asset(request, cache) {
	const { url } = request;
	const kept = await cache.match(url, { ignoreVary: true });
	if (kept) return kept;
	let answer;
	try {
		answer = await fetch(url, { cache: "no-cache" });
		if (answer.status === 200) {
			// A full disk must not keep the page from its file.
			keep(cache, url, answer.clone()).catch(() => {});
			return answer;
		}
	} catch {
		// Offline: the release before may have it.
	}
	return (await caches.match(url, { ignoreVary: true })) ?? answer ?? Response.error();
}

/**
 * Deletes the caches of builds that no page can be using: all but this and the one before.
 * @param {URL} root
 * @param {string} id
 */
export async function tidy(root, id) {
	const mine = (await caches.keys()).filter((name) => name.startsWith(cacheName(root, "")));
	const others = mine.filter((name) => name !== cacheName(root, id));
	await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}
