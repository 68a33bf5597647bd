// Which address is whose. The service worker and the shell must never disagree about it, so the
// question has one answer, here; it is pure and tested without a browser (urls.test.js).

/**
 * - `outside`: another origin, or outside of the app's folder
 * - `script`: sw.js, which the browser fetches itself
 * - `module`: the server's WebAssembly
 * - `asset`: a file of the build
 * - `page`: the address of one of Kolibri's pages; in the tab's address bar it means the shell
 * - `content`: a file of learning material
 * - `player`: the page in which Kolibri's viewers show apps (web/apps)
 * - `zipped`: a file in an archive, which no page of this origin may have
 * - `server`: everything else that Kolibri's server answers
 * @typedef {"outside" | "script" | "module" | "asset" | "page" | "content" | "player" | "zipped" | "server"} Kind
 */

/** Marks an address that a person wants to keep as a file; its value may be the file's name. */
export const DOWNLOAD = "kwdl";

const ASSET_FOLDERS = new Set(["app", "static", "data", "icons"]);
const ASSET_FILES = new Set(["manifest.webmanifest", "favicon.ico"]);

/** Kolibri's page addresses after the language: contract of kolibri/core/urls.py and its plugins. */
const PAGES =
	/^(?:setup|auth|learn|coach|facility|device|profile|policies|unsupported|redirectuser|guestaccess|logout|user)(?:\/|$)/;
/** What a page's address never leads to, although it begins like one. */
const NOT_PAGES = /^(?:learn|coach|facility|device|setup)\/api\//;
/** Two or three letters first: `api` would be one, were it not taken. */
const LANGUAGE = /^(?!api$)[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i;

/**
 * @param {URL} url
 * @param {URL} root the app's folder
 * @returns {Kind}
 */
export function classify(url, root) {
	const path = pathIn(url, root);
	if (path === null) return "outside";
	if (path === "sw.js") return "script";
	const [first, ...more] = path.split("/");
	if (first === "app" && path.endsWith(".wasm")) return "module";
	if (ASSET_FILES.has(path) || (more.length > 0 && ASSET_FOLDERS.has(first))) return "asset";
	if (path === "" || path === "index.html") return "page";
	if (path.startsWith("content/storage/")) return "content";
	if (path.startsWith("content/zipcontent/")) return "zipped";
	if (/^content\/static\/[^/]+\/[^/]+\.html?$/.test(path)) return "player";
	const rest = LANGUAGE.test(first) && !PAGES.test(`${first}/`) ? more.join("/") : path;
	if (rest === "" || rest === "index.html") return path.endsWith("/") ? "page" : "server";
	if (NOT_PAGES.test(rest)) return "server";
	return PAGES.test(rest) && !/\.(?!html$)\w+$/.test(rest) ? "page" : "server";
}

/**
 * The path below the app's folder, null when the address lies elsewhere.
 * @param {URL} url
 * @param {URL} root
 */
export function pathIn(url, root) {
	if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return null;
	return url.pathname.slice(root.pathname.length);
}

/**
 * Takes the download mark off an address.
 * @param {URL} url
 * @returns {{url: URL, download: boolean, name: string}}
 */
export function takeMark(url) {
	if (!url.searchParams.has(DOWNLOAD)) return { url, download: false, name: "" };
	const name = url.searchParams.get(DOWNLOAD) ?? "";
	const plain = new URL(url);
	plain.searchParams.delete(DOWNLOAD);
	return { url: plain, download: true, name };
}

/** @param {URL} url @param {string} name the file's name, if the page proposes one */
export function addMark(url, name) {
	const marked = new URL(url);
	marked.searchParams.set(DOWNLOAD, name);
	return marked;
}
