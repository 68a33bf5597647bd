// One deployed app as the runtime's page sees it: a frame with an origin of its own and a worker in it,
// requests to it, limits. An app that exceeds them is stopped and begins anew with its next request.

/** @typedef {import("./stream.js").Asked} Asked */
/** @typedef {import("./stream.js").Answered} Answered */

/** How long an app may take to begin its answer, and to load. */
export const TIME_LIMIT_MS = 10_000;
/** Bytes of buffers that an app may hold. */
export const MEMORY_LIMIT = 128 * 1024 * 1024;

/**
 * What an app asks of its store.
 * @typedef {{op: "get" | "put" | "delete" | "list", key?: string, value?: Uint8Array<ArrayBuffer>, version?: number, ttl?: number,
 *   prefix?: string, after?: string, limit?: number}} Wish
 */

export class App {
	/**
	 * @param {object} options
	 * @param {string} options.name
	 * @param {number} options.version
	 * @param {() => Promise<{code: string, harness: string}>} options.load
	 * @param {(wish: Wish) => Promise<unknown>} options.store
	 * @param {number} [options.limit] milliseconds
	 */
	constructor({ name, version, load, store, limit = TIME_LIMIT_MS }) {
		this.name = name;
		this.version = version;
		this.load = load;
		this.store = store;
		this.limit = limit;
		/** @type {Map<number, Waiting>} */
		this.waiting = new Map();
		this.next = 1;
		/** @type {Promise<MessagePort> | null} */
		this.place = null;
		/** @type {HTMLIFrameElement | null} */
		this.frame = null;
		this.leaving = false;
	}

	/** @param {Asked} asked @returns {Promise<Answered>} */
	async serve({ method, url, headers, from, body, signal }) {
		const id = this.next++;
		return new Promise((resolve, reject) => {
			const late = () => this.stop(`it took longer than ${this.limit} ms`);
			const timer = setTimeout(late, this.limit);
			const settle = () => {
				clearTimeout(timer);
				this.waiting.delete(id);
				if (this.leaving && this.waiting.size === 0) this.stop("a newer version is there");
			};
			this.waiting.set(id, {
				answer: (answer) => {
					settle();
					resolve(answer);
				},
				fail: (error) => {
					settle();
					reject(error);
				},
			});
			this.started().then(
				(port) => {
					if (!this.waiting.has(id)) return;
					const transfer = body instanceof ReadableStream ? [body] : [];
					port.postMessage({ t: "request", id, method, url, headers, from, body }, transfer);
					signal.addEventListener("abort", () => port.postMessage({ t: "cancel", id }));
				},
				(error) => this.waiting.get(id)?.fail(error),
			);
		});
	}

	/** @returns {Promise<MessagePort>} */
	started() {
		this.place ??= this.start();
		return this.place;
	}

	async start() {
		const { code, harness } = await this.load();
		const frame = document.createElement("iframe");
		this.frame = frame;
		frame.setAttribute("sandbox", "allow-scripts");
		frame.title = this.name;
		frame.src = new URL("frame.html", import.meta.url).href;
		const ready = new Promise((go) => {
			const listen = (/** @type {MessageEvent} */ { source, data }) => {
				if (!frame.isConnected) removeEventListener("message", listen);
				else if (source !== frame.contentWindow) return;
				else if (data.ready) go(null);
				else if (data.failed && this.frame === frame) this.stop(String(data.failed));
			};
			addEventListener("message", listen);
		});
		document.body.append(frame);
		await ready;
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = ({ data }) => this.receive(port1, data);
		frame.contentWindow?.postMessage({ harness, code, memory: MEMORY_LIMIT }, "*", [port2]);
		return port1;
	}

	/** @param {MessagePort} port @param {any} data from code that is not trusted */
	async receive(port, data) {
		if (data?.t === "answer") {
			const { id, status, headers, body } = data;
			const waiting = this.waiting.get(id);
			if (!waiting) return;
			if (isAnswer(data)) waiting.answer({ status, headers, body });
			else waiting.fail(new Error("the app's answer is none"));
		} else if (data?.t === "error") {
			this.waiting.get(data.id)?.fail(new Error(String(data.message)));
		} else if (data?.t === "failed") {
			this.stop(String(data.message));
		} else if (data?.t === "store") {
			const reply = await this.store(data.wish).then(
				(result) => ({ result }),
				(error) => ({ error: { name: error.name, message: error.message } }),
			);
			port.postMessage({ t: "stored", id: data.id, ...reply });
		}
	}

	/** No new requests come; those that are open may end. */
	leave() {
		this.leaving = true;
		if (this.waiting.size === 0) this.stop("a newer version is there");
	}

	/** Ends the worker, whatever it does. @param {string} why */
	stop(why) {
		const { frame } = this;
		this.frame = null;
		this.place = null;
		frame?.remove();
		for (const { fail } of [...this.waiting.values()]) fail(new Error(`the app was stopped: ${why}`));
	}
}

/** @typedef {{answer: (answer: Answered) => void, fail: (error: Error) => void}} Waiting */

/** @param {any} data */
function isAnswer({ status, headers, body }) {
	const isText = (/** @type {unknown} */ x) => typeof x === "string" && !/[\r\n\0]/.test(x);
	return (
		Number.isInteger(status) &&
		status >= 200 &&
		status <= 599 &&
		Array.isArray(headers) &&
		headers.every((p) => Array.isArray(p) && p.length === 2 && p.every(isText)) &&
		(body === null || body instanceof Uint8Array || body instanceof ReadableStream)
	);
}
