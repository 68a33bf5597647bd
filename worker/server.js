// The server's end of the ports: takes requests from any number of clients, gives them to Go and
// carries the answers back. It adds what a browser would have added (cookies, the CSRF token) and
// keeps what the browser would have kept.
//
// Requests that come before Go is up are queued: Kolibri's pages take a refused request for a lost
// connection and then stay silent for minutes.

import { Answers, confirmed } from "./answers.js";
import { BODYLESS, REPEATABLE, VERSION } from "./protocol.js";

/** What the server answers when the disk is full (server/fail.go). */
const INSUFFICIENT_STORAGE = 507;

/**
 * What wasm/bridge_js.go hands over once it can serve.
 * @typedef {object} Hooks
 * @property {(id: number, method: string, url: string, headers: string, body: Uint8Array | null,
 *     streams: boolean, timeout: number, from: string) => void} request `from`: see RequestMessage
 * @property {(id: number, bytes: Uint8Array | null) => void} chunk
 * @property {(id: number, n: number) => void} credit
 * @property {(id: number) => void} cancel
 */

/**
 * One request under way.
 * @typedef {object} Exchange
 * @property {MessagePort} port
 * @property {number} id the client's own number
 * @property {string} method
 * @property {boolean} cookies the answer shall carry all visible cookies
 * @property {boolean} uploading its body has not come whole yet
 * @property {Promise<void> | null} gate what has to happen before anything is sent
 * @property {string | null} key what the answer may be kept by
 * @property {import("./answers.js").Kept | null} kept the answer that was given last, if it still holds
 */

/** @typedef {import("./protocol.js").ToServer} ToServer */
/** @typedef {import("./protocol.js").HeaderList} HeaderList */

export class PortServer {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {string} options.epoch
	 * @param {string} options.build
	 * @param {import("./jar.js").CookieJar} options.jar
	 * @param {() => Promise<void>} options.saveJar
	 * @param {HeaderList} [options.always] what the browser would add to every request that lacks it
	 * @param {() => void} options.onFirstAnswer
	 * @param {() => void} [options.onFull] an answer said that there is no space left
	 */
	constructor({ root, epoch, build, jar, saveJar, always = [], onFirstAnswer, onFull = () => {} }) {
		this.root = root;
		this.jar = jar;
		this.saveJar = saveJar;
		this.always = always;
		this.onFull = onFull;
		this.hello = { t: "hello", version: VERSION, epoch, build };
		/** @type {(() => void) | null} */
		this.onFirstAnswer = onFirstAnswer;
		/** @type {Hooks | null} */
		this.go = null;
		/** @type {{port: MessagePort, message: ToServer}[]} */
		this.waiting = [];
		/** @type {Map<number, Exchange>} */
		this.exchanges = new Map();
		/** @type {Map<MessagePort, Map<number, number>>} numbers of each client's open requests */
		this.clients = new Map();
		/** @type {Set<number>} requests of clients who keep their cookies themselves */
		this.outside = new Set();
		this.answers = new Answers();
		this.nextId = 1;
	}

	/** @param {MessagePort} port a client's */
	connect(port) {
		this.clients.set(port, new Map());
		port.onmessage = (event) => this.receive(port, event.data);
		// Chromium tells when the other end is gone; elsewhere `bye` has to do.
		port.addEventListener("close", () => this.disconnect(port));
		port.postMessage(this.hello);
	}

	/** @param {Hooks} hooks */
	start(hooks) {
		this.go = hooks;
		for (const { port, message } of this.waiting.splice(0)) this.receive(port, message);
	}

	/** @param {MessagePort} port @param {ToServer} message */
	receive(port, message) {
		const open = this.clients.get(port);
		if (!open) return;
		if (message.t === "bye") return this.disconnect(port);
		if (!this.go) {
			this.waiting.push({ port, message });
			return;
		}
		if (message.t === "req") return this.request(port, open, message);
		const id = open.get(message.id);
		if (id === undefined) return; // answered already
		if (message.t === "part") {
			const exchange = this.exchanges.get(id);
			if (exchange && message.bytes === null) exchange.uploading = false;
			this.go.chunk(id, message.bytes);
		} else if (message.t === "credit") this.go.credit(id, message.n);
		else if (message.t === "cancel") {
			this.go.cancel(id);
			this.forget(id);
		}
	}

	/**
	 * @param {MessagePort} port
	 * @param {Map<number, number>} open
	 * @param {import("./protocol.js").RequestMessage} message
	 */
	request(port, open, message) {
		const id = this.nextId++;
		open.set(message.id, id);
		if (message.from) this.outside.add(id);
		const headers = this.headersFor(message);
		const key = this.answers.keyOf(message, headers);
		const kept = this.answers.find(key);
		this.exchanges.set(id, {
			port,
			id: message.id,
			method: message.method,
			cookies: message.cookies ?? false,
			uploading: message.streams ?? false,
			gate: null,
			key,
			kept,
		});
		// Before the write can have done anything: without this message it was not carried out.
		if (!REPEATABLE.has(message.method) || message.timeout) port.postMessage({ t: "got", id: message.id });
		/** @type {Hooks} */ (this.go).request(
			id,
			message.method,
			message.url,
			kept ? `${headers}If-None-Match: ${kept.tag}\r\n` : headers,
			message.body ?? null,
			message.streams ?? false,
			message.timeout ?? 0,
			message.from ?? "",
		);
	}

	/**
	 * Whoever has a port is of this origin, so the CSRF token is this side's to add: a page cannot
	 * have a stale one, and other sites cannot have a port.
	 * @param {import("./protocol.js").RequestMessage} message
	 */
	headersFor(message) {
		if (message.from) return asLines(message.headers);
		const skipped = new Set(["cookie", "x-csrftoken", "host"]);
		const list = message.headers.filter(([name]) => !skipped.has(name.toLowerCase()));
		const given = new Set(list.map(([name]) => name.toLowerCase()));
		list.push(...this.always.filter(([name]) => !given.has(name.toLowerCase())));
		const cookies = this.jar.header(new URL(message.url).pathname);
		if (cookies) list.push(["Cookie", cookies]);
		const token = this.jar.get("kolibri_csrftoken");
		if (token) list.push(["X-CSRFToken", token]);
		return asLines(list);
	}

	/**
	 * A page that goes away no longer wants to read, but what it has sent is carried out, as by a
	 * server behind a network.
	 * @param {MessagePort} port
	 */
	disconnect(port) {
		for (const id of this.clients.get(port)?.values() ?? []) {
			const exchange = this.exchanges.get(id);
			if (exchange && (exchange.uploading || REPEATABLE.has(exchange.method))) this.go?.cancel(id);
			this.exchanges.delete(id);
		}
		this.clients.delete(port);
		this.waiting = this.waiting.filter(
			(w) => w.port !== port || (w.message.t === "req" && !REPEATABLE.has(w.message.method)),
		);
		port.close();
	}

	/** @param {number} id */
	forget(id) {
		const exchange = this.exchanges.get(id);
		if (exchange) this.clients.get(exchange.port)?.delete(exchange.id);
		this.exchanges.delete(id);
	}

	// ---- called by Go ------------------------------------------------------------------------

	/** @param {number} id @param {number} status @param {string} headers @param {Uint8Array | null} body */
	respond(id, status, headers, body) {
		const exchange = this.exchanges.get(id);
		const head = this.takeHead(id, exchange, headers);
		this.firstAnswer();
		if (status === INSUFFICIENT_STORAGE) this.onFull();
		if (!exchange) return;
		let answer = { status, headers: head.headers, body: BODYLESS.has(status) ? null : body };
		if (status === 304 && exchange.kept) answer = confirmed(exchange.kept, head.headers);
		else this.answers.keep(exchange.key, status, head.headers, body);
		this.send(exchange, { t: "res", id: exchange.id, ...head, ...answer }, answer.body);
		this.forget(id);
	}

	/** @param {number} id @param {number} status @param {string} headers */
	head(id, status, headers) {
		const exchange = this.exchanges.get(id);
		const head = this.takeHead(id, exchange, headers);
		this.firstAnswer();
		if (exchange) this.send(exchange, { t: "head", id: exchange.id, status, ...head }, null);
	}

	/** @param {number} id @param {Uint8Array} bytes */
	data(id, bytes) {
		const exchange = this.exchanges.get(id);
		if (exchange) this.send(exchange, { t: "part", id: exchange.id, bytes }, bytes);
	}

	/** @param {number} id */
	end(id) {
		const exchange = this.exchanges.get(id);
		if (exchange) this.send(exchange, { t: "part", id: exchange.id, bytes: null }, null);
		this.forget(id);
	}

	/** @param {number} id @param {string} message */
	abort(id, message) {
		const exchange = this.exchanges.get(id);
		if (exchange) this.send(exchange, { t: "broken", id: exchange.id, message }, null);
		this.forget(id);
	}

	/** @param {number} id @param {number} n */
	consumed(id, n) {
		const exchange = this.exchanges.get(id);
		if (exchange) this.send(exchange, { t: "credit", id: exchange.id, n }, null);
	}

	/**
	 * Takes an answer's head apart and keeps its cookies, for a client that has gone as well; but
	 * those of clients outside are theirs.
	 * @param {number} id
	 * @param {Exchange | undefined} exchange
	 * @param {string} text
	 * @returns {{headers: HeaderList, cookies?: string[]}}
	 */
	takeHead(id, exchange, text) {
		const outside = this.outside.delete(id);
		/** @type {HeaderList} */
		const headers = [];
		const changed = [];
		let save = false;
		for (const line of text.split("\r\n")) {
			const at = line.indexOf(": ");
			if (at < 1) continue;
			const name = line.slice(0, at);
			if (name.toLowerCase() !== "set-cookie" || outside) {
				headers.push([name, line.slice(at + 2)]);
				continue;
			}
			const taken = this.jar.set(line.slice(at + 2));
			if (!taken?.changed) continue; // for a page each costs a call to another process
			save = true;
			if (!taken.visible) this.answers.clear(); // the session is another
			if (taken.visible) changed.push(taken.name);
		}
		const saved = save ? this.saveJar() : null;
		if (exchange) exchange.gate = saved;
		const path = this.root.pathname;
		if (exchange?.cookies) return { headers, cookies: this.jar.visible(path) };
		return changed.length ? { headers, cookies: this.jar.visible(path, changed) } : { headers };
	}

	/**
	 * @param {Exchange} exchange
	 * @param {import("./protocol.js").ToClient} message
	 * @param {Uint8Array | null} bytes transferred when they fill their buffer
	 */
	send(exchange, message, bytes) {
		const post = () => exchange.port.postMessage(message, bytes ? [bytes.buffer] : []);
		if (exchange.gate) exchange.gate = exchange.gate.then(post);
		else post();
	}

	firstAnswer() {
		this.onFirstAnswer?.();
		this.onFirstAnswer = null;
	}
}

/** @param {HeaderList} headers */
const asLines = (headers) => headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
