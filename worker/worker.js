// The dedicated worker in which Kolibri's server lives. Every tab has one; all ask for the same Web
// Lock, and the one that holds it boots the server and answers for all tabs. The lock is taken here
// and not on the page because it must live exactly as long as the database's file handles do.

import "wasm_exec";
import { installOPFS } from "../store/opfs/opfs.js";
import { CookieJar } from "./jar.js";
import { keepJar } from "./jarstore.js";
import { loadModule } from "./module.js";
import { acceptLanguage, homeFolder, scoped } from "./protocol.js";
import { PortServer } from "./server.js";

/**
 * What the shell is told.
 * @typedef {{t: "leading", epoch: string}
 *   | {t: "full"}
 *   | {t: "progress", loaded: number, total: number}
 *   | {t: "mark", name: "module" | "database" | "answering", at: number}
 *   | {t: "failed", code: string, message: string}
 *   | {t: "ended", message: string}} Report `at`: milliseconds since 1970; `ended`: the server died
 */

/** @type {import("../web/build.js").Build} */
const build = __BUILD__;
const root = new URL("..", self.location.href);
const epoch = crypto.randomUUID();

/** @param {Report} report */
const tell = (report) => self.postMessage(report);
/** @param {"module" | "database" | "answering"} name */
const mark = (name) => {
	performance.mark(`kolibri:${name}`);
	tell({ t: "mark", name, at: performance.timeOrigin + performance.now() });
};

/**
 * How the shell starts this worker.
 * @typedef {{t: "start", again: boolean, slow: boolean}} Start see Loading in module.js
 */

/** @param {Start} start */
async function lead({ again, slow }) {
	const jar = new CookieJar();
	const loadingJar = keepJar(root, jar);
	/** @type {() => Promise<void>} */
	let saveJar = async () => {};
	const server = new PortServer({
		root,
		epoch,
		build: build.id,
		jar,
		saveJar: () => saveJar(),
		always: [
			["Accept-Language", acceptLanguage(navigator.languages)],
			["User-Agent", navigator.userAgent],
		],
		onFirstAnswer: () => mark("answering"),
		onFull: () => tell({ t: "full" }),
	});
	self.onmessage = ({ data, ports }) => {
		if (data.t === "port") server.connect(ports[0]);
	};
	tell({ t: "leading", epoch });
	new BroadcastChannel(scoped(root, "leader")).postMessage({ t: "leading", epoch });

	const go = new Go();
	await installOPFS(go);
	const fail = (/** @type {string} */ code, /** @type {string} */ message) => {
		tell({ t: "failed", code, message });
	};
	globalThis.kolibriHost = {
		root: root.href,
		home: homeFolder(root),
		build,
		started: async (hooks) => {
			saveJar = await loadingJar;
			server.start(hooks);
		},
		mark,
		failed: fail,
		asset: (path) => asset(new URL(path, root)),
		respond: server.respond.bind(server),
		head: server.head.bind(server),
		data: server.data.bind(server),
		end: server.end.bind(server),
		abort: server.abort.bind(server),
		consumed: server.consumed.bind(server),
	};
	const instance = await loadModule(new URL(build.wasm, root), go.importObject, {
		again,
		slow,
		bytes: build.wasmBytes,
		onProgress: (loaded, total) => tell({ t: "progress", loaded, total }),
	});
	await go.run(instance);
	tell({ t: "ended", message: "the server program has ended" });
}

/**
 * A file of the build. The copy in the build's own cache comes first: it is there offline, and this
 * worker may be older than the service worker and so out of its reach.
 * @param {URL} url
 * @returns {Promise<Uint8Array>}
 */
async function asset(url) {
	const kept = await caches.match(url).catch(() => undefined);
	const response = kept ?? (await fetch(url));
	if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
	return new Uint8Array(await response.arrayBuffer());
}

/** @param {Start} start */
async function serve(start) {
	try {
		await lead(start);
	} catch (error) {
		const code = /** @type {any} */ (error)?.code;
		tell({ t: "failed", code: typeof code === "string" ? code : "crashed", message: String(error) });
	}
	// The lock ends with the worker: the shell terminates it.
	await new Promise(() => {});
}

self.onmessage = ({ data }) => {
	navigator.locks.request(scoped(root, "server"), () => serve(data));
};
