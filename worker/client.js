// A client's end: sends requests to whichever worker is the server at the moment. Kolibri's pages
// (shim/), the shell (web/) and the service worker all use it; they differ only in how they come
// by a port.
//
// When the server changes hands, reads are sent again to the next one, and so are writes that the old
// one never confirmed. A write that it had begun may or may not have been carried out: it fails with 503
// and is never done twice. Nothing is sent before the server has said hello.

import { BODYLESS, CREDIT, PART, REPEATABLE, scoped, unavailable, VERSION } from "./protocol.js";

/**
 * @typedef {import("./protocol.js").HeaderList} HeaderList
 * @typedef {object} Call
 * @property {string} method
 * @property {string} url absolute
 * @property {HeaderList} [headers]
 * @property {Uint8Array | ReadableStream<Uint8Array> | null} [body]
 * @property {number} [timeout] milliseconds the server may take once it has taken the request; none when absent
 * @property {boolean} [cookies] ask for all visible cookies
 * @property {string} [from] on behalf of a client outside of this browser, at this address
 * @property {AbortSignal | null} [signal]
 * @property {(sent: number) => void} [onUpload]
 *
 * @typedef {object} Answer
 * @property {number} status
 * @property {HeaderList} headers
 * @property {Uint8Array | ReadableStream<Uint8Array> | null} body
 * @property {string[]} [cookies]
 */

/** How long a confirmation may still be on its way from a server that is gone. */
const LAST_WORDS_MS = 300;

/** The request was given up by its caller, or ran out of time. */
export class RequestAborted extends Error {
	/** @param {"cancelled" | "timeout" | "broken"} code @param {string} message */
	constructor(code, message) {
		super(message);
		this.name = "RequestAborted";
		this.code = code;
	}
}

export class Connection {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {(port: MessagePort) => void | Promise<void>} options.deliver hands the other end of a
	 *     channel to the server, or to somebody who will
	 * @param {(cookies: string[]) => void} [options.onCookies]
	 * @param {number} [options.patience] milliseconds without hello before the next try; doubled with
	 *     every try, or a server that takes longer than this to say hello would never be heard
	 */
	constructor({ root, deliver, onCookies = () => {}, patience = 3000 }) {
		this.deliver = deliver;
		this.onCookies = onCookies;
		this.patience = this.waits = patience;
		/** @type {MessagePort | null} */
		this.port = null;
		/** @type {string | null} whom the port leads to, once it said hello */
		this.epoch = null;
		/** @type {Map<number, Pending>} */
		this.pending = new Map();
		this.nextId = 1;
		this.news = new BroadcastChannel(scoped(root, "leader"));
		this.news.onmessage = ({ data }) => {
			if (data.t === "leading" && data.epoch !== this.epoch) this.reconnect();
			if (data.t === "lost" && data.epoch === this.epoch) this.reconnect();
		};
	}

	/**
	 * @param {Call} call
	 * @returns {Promise<Answer>} rejects with RequestAborted only
	 */
	request(call) {
		const id = this.nextId++;
		return new Promise((resolve, reject) => {
			const pending = new Pending(this, id, call, resolve, reject);
			this.pending.set(id, pending);
			if (call.signal?.aborted) pending.onAbort();
			else if (this.epoch && this.port) pending.send(this.port);
			else if (!this.port) this.connect();
		});
	}

	/** Opens a port before it is needed. */
	connect() {
		if (this.port) return;
		const { port1, port2 } = new MessageChannel();
		this.port = port1;
		port1.onmessage = ({ data }) => this.receive(port1, data);
		Promise.resolve(this.deliver(port2)).catch(() => {});
		setTimeout(() => {
			if (this.port === port1 && !this.epoch) this.reconnect();
		}, this.waits);
		this.waits = Math.min(2 * this.waits, 20 * this.patience);
	}

	/** The server is gone or another: what can be repeated is, the rest fails. */
	reconnect() {
		const hadServer = this.epoch !== null;
		const { port } = this;
		setTimeout(() => port?.close(), LAST_WORDS_MS);
		this.port = this.epoch = null;
		if (hadServer) for (const pending of [...this.pending.values()]) pending.serverLost();
		if (this.pending.size) this.connect();
	}

	/** Tells the server that this client goes away. */
	close() {
		this.news.close();
		this.port?.postMessage({ t: "bye" });
		this.port = this.epoch = null;
	}

	/** @param {MessagePort} port @param {import("./protocol.js").ToClient} message */
	receive(port, message) {
		if (port !== this.port && message.t !== "got") return;
		if (message.t === "hello") {
			if (message.version !== VERSION) return; // another release leads: wait for ours
			this.epoch = message.epoch;
			this.waits = this.patience;
			for (const pending of this.pending.values()) pending.send(port);
			return;
		}
		if ("cookies" in message && message.cookies) this.onCookies(message.cookies);
		this.pending.get(message.id)?.receive(message);
	}
}

/** One request of a client. */
class Pending {
	/**
	 * @param {Connection} connection
	 * @param {number} id
	 * @param {Call} call
	 * @param {(answer: Answer) => void} resolve
	 * @param {(reason: RequestAborted) => void} reject
	 */
	constructor(connection, id, call, resolve, reject) {
		this.connection = connection;
		this.id = id;
		this.call = call;
		this.resolve = resolve;
		this.reject = reject;
		this.sent = this.confirmed = false;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.timer = undefined;
		this.credit = CREDIT;
		/** @type {(() => void) | null} */
		this.onCredit = null;
		/** @type {ReadableStreamDefaultController<Uint8Array> | null} */
		this.stream = null;
		this.granted = this.received = 0;
		this.onAbort = () => this.giveUp("cancelled", "given up");
		call.signal?.addEventListener("abort", this.onAbort);
	}

	/** @param {import("./protocol.js").ToServer} message @param {Transferable[]} [transfer] */
	post(message, transfer = []) {
		this.connection.port?.postMessage(message, transfer);
	}

	/** @param {MessagePort} port */
	send(port) {
		if (this.sent) return;
		this.sent = true;
		const { method, url, headers = [], body = null, timeout, cookies, from } = this.call;
		const streams = body !== null && !(body instanceof Uint8Array);
		port.postMessage({
			t: "req",
			id: this.id,
			method,
			url,
			headers,
			...(body instanceof Uint8Array && { body }),
			...(streams && { streams }),
			...(timeout && { timeout }),
			...(cookies && { cookies }),
			...(from && { from }),
		});
		if (streams) this.upload(/** @type {ReadableStream<Uint8Array>} */ (body));
	}

	/** @param {ReadableStream<Uint8Array>} body */
	async upload(body) {
		let total = 0;
		try {
			for (const reader = body.getReader(); ; ) {
				const { value, done } = await reader.read();
				if (done) break;
				for (let at = 0; at < value.length; at += PART) {
					if (!this.connection.pending.has(this.id)) return void reader.cancel();
					if (this.credit <= 0)
						await new Promise((go) => {
							this.onCredit = () => go(null);
						});
					const bytes = value.slice(at, at + PART);
					this.credit -= bytes.length;
					total += bytes.length;
					this.post({ t: "part", id: this.id, bytes }, [bytes.buffer]);
					this.call.onUpload?.(total);
				}
			}
			this.post({ t: "part", id: this.id, bytes: null });
		} catch {
			this.giveUp("broken", "the request's body could not be read");
		}
	}

	/** @param {Exclude<import("./protocol.js").ToClient, {t: "hello"}>} message */
	receive(message) {
		switch (message.t) {
			case "got":
				this.confirmed = true;
				// Waiting for a server that starts, or changes hands, is not the server's time.
				clearTimeout(this.timer);
				if (this.call.timeout) {
					this.timer = setTimeout(() => this.giveUp("timeout", "out of time"), this.call.timeout);
				}
				return;
			case "res":
				this.settle();
				this.resolve(message);
				return;
			case "head":
				this.resolve({ ...message, body: BODYLESS.has(message.status) ? null : this.openStream() });
				return;
			case "part":
				if (message.bytes) {
					this.received += message.bytes.length;
					this.stream?.enqueue(message.bytes);
				} else {
					this.settle();
					this.stream?.close();
				}
				return;
			case "broken":
				this.fail(new RequestAborted("broken", message.message));
				return;
			case "credit":
				this.credit += message.n;
				this.onCredit?.();
				this.onCredit = null;
		}
	}

	/** The answer's body. As its reader takes bytes, the server is given room for as many more. */
	openStream() {
		this.granted = CREDIT;
		this.received = 0;
		return new ReadableStream(
			{
				start: (controller) => {
					this.stream = controller;
				},
				pull: (controller) => {
					const underWay = this.granted - this.received;
					const room = (controller.desiredSize ?? 0) - underWay;
					if (room < PART) return;
					this.granted += room;
					this.post({ t: "credit", id: this.id, n: room });
				},
				cancel: () => this.giveUp("cancelled", "given up"),
			},
			{ highWaterMark: CREDIT, size: (bytes) => bytes?.length ?? 0 },
		);
	}

	serverLost() {
		if (!this.sent) return;
		clearTimeout(this.timer);
		const { method, body } = this.call;
		const repeatable = REPEATABLE.has(method) && !(body instanceof ReadableStream);
		if (this.stream) this.fail(new RequestAborted("broken", "the server changed hands"));
		else if (repeatable) this.sent = false;
		else if (body instanceof ReadableStream) this.lost();
		else setTimeout(() => (this.confirmed ? this.lost() : this.again()), LAST_WORDS_MS);
	}

	/** Nobody knows whether it was carried out. */
	lost() {
		this.settle();
		this.resolve(unavailable());
	}

	/** The server that is gone had not taken it. */
	again() {
		const { connection } = this;
		if (!connection.pending.has(this.id)) return;
		this.sent = false;
		if (connection.epoch && connection.port) this.send(connection.port);
		else connection.connect();
	}

	/** @param {"cancelled" | "timeout" | "broken"} code @param {string} message */
	giveUp(code, message) {
		if (!this.connection.pending.has(this.id)) return;
		if (this.sent) this.post({ t: "cancel", id: this.id });
		this.fail(new RequestAborted(code, message));
	}

	/** @param {RequestAborted} reason */
	fail(reason) {
		this.settle();
		try {
			this.stream?.error(reason);
		} catch {
			/* its reader had gone already */
		}
		this.reject(reason); // without effect once the head has been handed over
	}

	settle() {
		this.connection.pending.delete(this.id);
		clearTimeout(this.timer);
		this.call.signal?.removeEventListener("abort", this.onAbort);
		this.onCredit?.();
	}
}
