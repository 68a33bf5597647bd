// This tab's worker and the way to the server, wherever it is: in this tab's worker when this tab
// leads, else in another tab's, which only the service worker can reach.

import { scoped } from "../worker/protocol.js";
import { ask, compileModule } from "./module.js";

/** @typedef {import("../worker/worker.js").Report | {t: "progress", loaded: number, total: number}} Report */

export class Host {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {import("./build.js").Build} options.build
	 * @param {(report: Report) => void} options.onReport
	 */
	constructor({ root, build, onReport }) {
		this.root = root;
		this.build = build;
		this.onReport = onReport;
		/** @type {Worker | null} */
		this.worker = null;
		/** @type {string | null} this tab's worker is the server */
		this.epoch = null;
		/** @type {Promise<WebAssembly.Module> | null} the server's program, once somebody wanted it */
		this.module = null;
		/** @type {Promise<Response> | null} */
		this.asked = null;
		this.again = false;
		this.news = new BroadcastChannel(scoped(root, "leader"));
		navigator.serviceWorker?.addEventListener("message", (event) => this.answer(event));
	}

	/**
	 * Starts this tab's worker. It serves as soon as no other tab does.
	 * @param {boolean} [again] after a failure: take nothing from the HTTP cache
	 */
	start(again = false) {
		const worker = new Worker(new URL(this.build.worker, this.root));
		this.worker = worker;
		worker.onmessage = ({ data }) => {
			if (data.t === "leading") this.lead(data.epoch, worker);
			this.onReport(data);
		};
		worker.onerror = (event) => {
			event.preventDefault();
			this.onReport({
				t: "failed",
				code: "crashed",
				message: event.message || "the worker could not be started",
			});
		};
		if (again) this.module = null;
		this.again = again; // whoever wants the program first: the lock of the worker before may still look held
		const quick = !this.module && !again && !hostIsSlow(this.build.shell);
		this.asked = quick ? ask(new URL(this.build.wasm, this.root)) : null;
		this.isServed().then((served) => {
			if (!served)
				this.program().catch(() => {}); // lead meets the failure
			else
				this.takeAsked()?.then(
					({ body }) => body?.cancel(),
					() => {},
				);
		});
	}

	/** Some tab has the server already. */
	async isServed() {
		const { held = [] } = await navigator.locks.query();
		return held.some(({ name }) => name === scoped(this.root, "server"));
	}

	/** The server's program, compiled once for all workers of this tab. */
	program() {
		this.module ??= compileModule(new URL(this.build.wasm, this.root), {
			again: this.again,
			asked: this.takeAsked(),
			slow: hostIsSlow(this.build.shell),
			bytes: this.build.wasmBytes,
			onProgress: (loaded, total) => this.onReport({ t: "progress", loaded, total }),
		});
		return this.module;
	}

	/** The answer that the module comes in, for the first who wants it. */
	takeAsked() {
		const { asked } = this;
		this.asked = null;
		return asked;
	}

	/** Ends this tab's worker; whoever waits for its answers is told. */
	stop() {
		this.worker?.terminate();
		this.worker = null;
		if (this.epoch) this.news.postMessage({ t: "lost", epoch: this.epoch });
		this.epoch = null;
	}

	/** @param {string} epoch @param {Worker} worker it has become the server's */
	async lead(epoch, worker) {
		this.epoch = epoch;
		toServiceWorker({ t: "leader" });
		try {
			worker.postMessage({ t: "module", module: await this.program() });
		} catch (/** @type {any} */ error) {
			this.module = null;
			if (worker === this.worker) {
				this.onReport({ t: "failed", code: error?.code ?? "crashed", message: String(error) });
			}
		}
	}

	/** @param {MessageEvent} event from the service worker */
	answer({ data, ports }) {
		if (data.t === "who leads" && this.epoch) toServiceWorker({ t: "leader" });
		if (data.t !== "port") return;
		if (this.epoch) this.worker?.postMessage({ t: "port" }, [ports[0]]);
		else {
			ports[0].close();
			toServiceWorker({ t: "not leader" });
		}
	}

	/**
	 * Hands a client's port to the server.
	 * @param {MessagePort} port
	 */
	async deliver(port) {
		for (let tries = 0; ; tries++) {
			if (this.epoch) return this.worker?.postMessage({ t: "port" }, [port]);
			// A first tab leads within a moment; before asking others, see whether this is one.
			if (tries > 2 && toServiceWorker({ t: "connect" }, [port])) return;
			await new Promise((go) => setTimeout(go, 20));
		}
	}
}

/** The shell's own script takes longer than this from anywhere but a quick network. */
const SLOW_MS = 60;
const THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Whether the static host is slow, or was not asked at all.
 * @param {string} script path of one that was just loaded
 */
function hostIsSlow(script) {
	// A browser that is still busy with its own start makes the time of a request say nothing.
	if (THIS_MACHINE.includes(location.hostname)) return false;
	const entries = /** @type {PerformanceResourceTiming[]} */ (performance.getEntriesByType("resource"));
	const entry = entries.find(({ name }) => name.endsWith(script));
	return !entry || entry.workerStart > 0 || entry.responseEnd - entry.requestStart > SLOW_MS;
}

/** @param {object} message @param {Transferable[]} [transfer] */
function toServiceWorker(message, transfer = []) {
	const controller = navigator.serviceWorker?.controller;
	controller?.postMessage(message, transfer);
	return Boolean(controller);
}
