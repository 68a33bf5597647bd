// Compiles the server's WebAssembly, on the page: that begins while the worker it will run in is
// still being started. Chromium keeps compiled code only for an HTTP response that was handed to
// compileStreaming untouched: a clone, a DecompressionStream or an ArrayBuffer in
// between, and every start compiles anew (docs/protocol.md, "Start"). So there is no counting of
// the bytes that are being compiled. Where a download takes long enough to want a progress bar, it
// is counted on its way into the HTTP cache first, and compiled from there.

/** The server program could not be had; `code` says why, for the screen that tells the person. */
export class ModuleError extends Error {
	/** @param {"unreachable" | "missing" | "damaged"} code @param {string} message */
	constructor(code, message) {
		super(message);
		this.name = "ModuleError";
		this.code = code;
	}
}

/**
 * @typedef {object} Loading
 * @property {boolean} again after a failure: do not trust what the HTTP cache holds
 * @property {boolean} slow the host answers so slowly that a person wants to see progress
 * @property {number} bytes the module's size
 * @property {Promise<Response> | null} [asked] the answer that `ask` has been waiting for already
 * @property {(loaded: number, total: number) => void} onProgress
 */

/**
 * @param {URL} url the hashed name stands for the content, so any cached copy will do
 * @param {Loading} loading
 * @returns {Promise<WebAssembly.Module>}
 */
export async function compileModule(url, loading) {
	if (loading.again || (loading.slow && !(await isCached(url)))) await download(url, loading);
	const response = await fetchModule(url, loading.asked);
	try {
		return await WebAssembly.compileStreaming(response);
	} catch (error) {
		throw new ModuleError("damaged", String(error));
	}
}

/**
 * Brings the module into the HTTP cache, counting.
 * @param {URL} url
 * @param {Loading} loading
 */
async function download(url, { again, bytes, onProgress }) {
	const response = await fetch(url, { cache: again ? "reload" : "default" }).catch(() => null);
	if (!response?.ok || !response.body) return; // fetchModule meets the same and says why
	let loaded = 0;
	onProgress(loaded, bytes);
	try {
		for (const reader = response.body.getReader(); ; ) {
			const { done, value } = await reader.read();
			if (done) break;
			loaded += value.length;
			onProgress(loaded, bytes);
		}
	} catch {
		throw new ModuleError("unreachable", `${url.pathname}: the connection broke off after ${loaded} bytes`);
	}
	if (loaded !== bytes) {
		throw new ModuleError("damaged", `${url.pathname} has ${loaded} bytes instead of ${bytes}`);
	}
}

/** @param {URL} url */
async function isCached(url) {
	try {
		const response = await fetch(url, { cache: "only-if-cached", mode: "same-origin" });
		await response.body?.cancel();
		return response.ok;
	} catch {
		return false;
	}
}

/**
 * Asks for the module before it is known whether this tab needs it: to find that out takes as long as
 * the first bytes.
 * @param {URL} url
 */
export function ask(url) {
	const answer = fetch(url, { cache: "force-cache" });
	answer.catch(() => {}); // fetchModule meets the failure
	return answer;
}

/** @param {URL} url @param {Promise<Response> | null} [asked] */
async function fetchModule(url, asked) {
	let response;
	try {
		response = await (asked ?? ask(url));
	} catch (error) {
		// Offline with an emptied HTTP cache: the copy that the service worker put aside.
		const kept = await caches.match(url).catch(() => undefined);
		if (kept) return kept;
		throw new ModuleError("unreachable", `${url.pathname}: ${error}`);
	}
	if (!response.ok) throw new ModuleError("missing", `${url.pathname} answered ${response.status}`);
	return response;
}
