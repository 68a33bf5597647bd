// Loads the server's WebAssembly. Chromium keeps compiled code only for an HTTP response that was
// streamed into instantiateStreaming: no copy of the response, no DecompressionStream and no
// ArrayBuffer may come between (docs/protocol.md, "Start").

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
 * @param {URL} url the hashed name stands for the content, so any cached copy will do
 * @param {WebAssembly.Imports} imports
 * @param {boolean} [again] after a failure: do not trust what the HTTP cache holds
 * @returns {Promise<WebAssembly.Instance>}
 */
export async function loadModule(url, imports, again = false) {
	const response = await fetchModule(url, again);
	if (!response.ok) throw new ModuleError("missing", `${url.pathname} answered ${response.status}`);
	try {
		const { instance } = await WebAssembly.instantiateStreaming(response, imports);
		return instance;
	} catch (error) {
		throw new ModuleError("damaged", String(error));
	}
}

/** @param {URL} url @param {boolean} again */
async function fetchModule(url, again) {
	try {
		return await fetch(url, { cache: again ? "reload" : "force-cache" });
	} catch (error) {
		// Offline with an emptied HTTP cache: the copy that the service worker put aside.
		const kept = await caches.match(url).catch(() => undefined);
		if (kept) return kept;
		throw new ModuleError("unreachable", `${url.pathname}: ${error}`);
	}
}
