// The dedicated worker in which Kolibri's server lives. Every tab has one; all ask for the same Web
// Lock, and the one that holds it boots the server and answers for all tabs. The lock is taken here
// and not on the page because it must live exactly as long as the database's file handles do.

import "wasm_exec";
import { installOPFS } from "../store/opfs/opfs.js";
import { cacheName } from "../web/sw/store.js";
import { Drives } from "./drives.js";
import { followGateway } from "./gateway.js";
import { CookieJar } from "./jar.js";
import { keepJar } from "./jarstore.js";
import { acceptLanguage, homeFolder, scoped } from "./protocol.js";
import { PortServer } from "./server.js";

/**
 * What the shell is told.
 * @typedef {{t: "leading", epoch: string}
 *   | {t: "full"}
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

async function lead() {
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
	/** @type {Promise<WebAssembly.Module>} */
	const program = new Promise((resolve) => {
		self.onmessage = ({ data, ports }) => {
			if (data.t === "port") server.connect(ports[0]);
			else if (data.t === "module") resolve(data.module);
		};
	});
	tell({ t: "leading", epoch });
	new BroadcastChannel(scoped(root, "leader")).postMessage({ t: "leading", epoch });

	const go = new Go();
	const files = await installOPFS(go);
	fetchEarly(files);
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
		asset: takeAsset,
		drives: new Drives(root),
		through: followGateway(root),
		respond: server.respond.bind(server),
		head: server.head.bind(server),
		data: server.data.bind(server),
		end: server.end.bind(server),
		abort: server.abort.bind(server),
		consumed: server.consumed.bind(server),
	};
	const instance = await WebAssembly.instantiate(await program, go.importObject);
	const lastWords = listen();
	await go.run(instance);
	tell({ t: "ended", message: `the server program has ended\n${lastWords()}` });
}

/** Keeps the end of what Go prints: when the program dies, the cause is in it. */
function listen() {
	const { fs } = /** @type {any} */ (globalThis);
	const write = fs.writeSync;
	let tail = "";
	fs.writeSync = (/** @type {number} */ file, /** @type {Uint8Array} */ bytes) => {
		tail = (tail + new TextDecoder().decode(bytes)).slice(-4000);
		return write.call(fs, file, bytes);
	};
	return () => tail;
}

/** Files that Go is going to ask for, fetched while its module is being compiled. */
const early = new Map();

/** @param {import("../store/opfs/opfs.js").Files} files */
async function fetchEarly(files) {
	const ahead = (/** @type {string} */ path) => {
		const content = asset(new URL(path, root));
		content.catch(() => {}); // whoever asks for it meets the failure
		early.set(path, content);
	};
	ahead("data/pages.json");
	const there = await files.ahead(homeFolder(root), ["db.sqlite3", "db.sqlite3-wal"]).catch(() => false);
	if (!there) ahead(build.home);
}

/** @param {string} path @returns {Promise<Uint8Array>} */
function takeAsset(path) {
	const content = early.get(path) ?? asset(new URL(path, root));
	early.delete(path);
	return content;
}

/**
 * A file of the build. The copy in the build's own cache comes first: it is there offline, and this
 * worker may be older than the service worker and so out of its reach.
 * @param {URL} url
 * @returns {Promise<Uint8Array>}
 */
async function asset(url) {
	const kept = await caches
		.open(cacheName(root, build.id))
		.then((cache) => cache.match(url))
		.catch(() => undefined); // a browser that keeps nothing
	const response = kept ?? (await fetch(url));
	if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}`);
	return new Uint8Array(await response.arrayBuffer());
}

async function serve() {
	try {
		await lead();
	} catch (error) {
		const code = /** @type {any} */ (error)?.code;
		tell({ t: "failed", code: typeof code === "string" ? code : "crashed", message: String(error) });
	}
	// The lock ends with the worker: the shell terminates it.
	await new Promise(() => {});
}

navigator.locks.request(scoped(root, "server"), serve);
