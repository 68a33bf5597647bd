// A tab's connection to a relay: joins by a code, takes requests, comes back when it broke. Runs in a
// worker (web/share/worker.js) and on the runtime's page (runtime.js).

import { Stream } from "./stream.js";
import {
	CLOSE,
	decode,
	encode,
	encodeJSON,
	encodeReset,
	KIND,
	Malformed,
	PROTOCOL,
	RESET,
	readJSON,
	readRequest,
	readWindow,
	VERSION,
} from "./wire.js";

/**
 * What a relay tells when it lets a tab in.
 * @typedef {object} Admission
 * @property {string} session
 * @property {string} [key]
 * @property {string[]} addresses
 * @property {string[] | null} picture
 * @property {string[]} hosts
 *
 * `waiting`: the connection broke and is tried again; `ended`: for good.
 * @typedef {{state: "connecting"} | {state: "sharing", admission: Admission, key: string}
 *   | {state: "waiting", message: string} | {state: "ended", code: number, message: string}} LinkState
 *
 * @typedef {{kind: "kolibri" | "runtime", home?: string, prefix?: string, name?: string}} About
 */

/** Bytes that may wait in the socket before streams stop adding more. */
const MAX_BUFFERED = 4 * 1024 * 1024;
/** Requests at once; more are handed back, for another tab. */
const MAX_STREAMS = 2048;
/** Bodies on their way by requests of their own: browsers open six connections to one host. */
const MAX_HANDED = 4;
/** A relay says something every few seconds. */
const SILENCE_MS = 20_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/** Closed by the relay for a reason that another try does not change. */
const FINAL = new Set([CLOSE.forbidden, CLOSE.busy, CLOSE.protocol, CLOSE.replaced]);

export class Link {
	/**
	 * @param {object} options
	 * @param {string} options.relay address, http or https
	 * @param {string} options.code
	 * @param {{session: string, key: string}} [options.known] of an earlier connection
	 * @param {About} options.about
	 * @param {(asked: import("./stream.js").Asked) => Promise<import("./stream.js").Answered>} options.serve
	 * @param {(state: LinkState) => void} options.onState
	 * @param {(stream: Stream, asked: import("./stream.js").Asked) => void} [options.onDone]
	 * @param {(apps: any) => void} [options.onApps]
	 * @param {(url: string, protocol: string) => WebSocket} [options.connect]
	 */
	constructor(options) {
		const { relay, code, known, about, serve, onState } = options;
		this.relay = relay;
		this.url = new URL("/_relay/tab", relay);
		this.url.protocol = this.url.protocol === "https:" ? "wss:" : "ws:";
		this.code = plainCode(code);
		this.known = known ?? null;
		this.about = about;
		this.serve = serve;
		this.onState = onState;
		this.onDone = options.onDone ?? (() => {});
		this.onApps = options.onApps ?? (() => {});
		this.connectTo = options.connect ?? ((url, protocol) => new WebSocket(url, protocol));
		/** @type {WebSocket | null} */
		this.socket = null;
		/** @type {Map<number, Stream>} */
		this.streams = new Map();
		this.joined = false;
		this.ended = false;
		this.retry = FIRST_RETRY_MS;
		this.heard = 0;
		this.byCode = false;
		/** @type {Promise<void> | null} */
		this.draining = null;
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.timer = undefined;
		/** @type {import("./stream.js").Wire} */
		this.wire = {
			post: (frame) => this.socket?.send(frame),
			drained: () => this.drained(),
			hand: (id, body, signal) => this.hand(id, body, signal),
		};
		this.handed = 0;
		/** @type {Promise<boolean> | null} whether this page may send requests to the relay */
		this.mayHand = null;
		this.nonce = "";
	}

	start() {
		this.onState({ state: "connecting" });
		const socket = this.connectTo(this.url.href, PROTOCOL);
		this.socket = socket;
		this.joined = false;
		socket.binaryType = "arraybuffer";
		socket.onmessage = ({ data }) => this.take(socket, data);
		socket.onclose = ({ code, reason }) => this.lost(socket, code, reason);
		this.heard = Date.now();
		const watch = setInterval(() => {
			if (this.socket !== socket) clearInterval(watch);
			else if (Date.now() - this.heard > SILENCE_MS) this.lost(socket, 0, "the relay is silent");
		}, SILENCE_MS / 4);
	}

	/** @param {WebSocket} socket @param {unknown} data */
	async take(socket, data) {
		if (socket !== this.socket) return;
		this.heard = Date.now();
		try {
			if (!(data instanceof ArrayBuffer)) throw new Malformed("a message of text");
			const frame = decode(data);
			if (frame.kind === KIND.hello) await this.join(socket, readJSON(frame.payload));
			else this.receive(frame);
		} catch (error) {
			if (this.socket !== socket) return;
			this.lost(socket, CLOSE.protocol, String(error));
			socket.close(CLOSE.protocol, "malformed frame");
		}
	}

	/** @param {WebSocket} socket @param {{version: number, nonce: string}} greeting */
	async join(socket, { version, nonce }) {
		if (version !== VERSION || typeof nonce !== "string" || this.joined) throw new Malformed("no greeting");
		const { known } = this;
		this.byCode = !known;
		this.nonce = nonce;
		const proof = await prove(known ? known.key : this.code, nonce);
		if (socket !== this.socket) return;
		socket.send(encodeJSON(KIND.join, { version, proof, session: known?.session, ...this.about }));
	}

	/** @param {import("./wire.js").Frame} frame */
	receive(frame) {
		const { kind, stream: id, payload } = frame;
		switch (kind) {
			case KIND.ping:
				this.socket?.send(encode(KIND.pong, 0, payload));
				return;
			case KIND.pong:
			case KIND.goAway: // the close that follows says the rest
				return;
			case KIND.welcome:
				this.welcome(readJSON(payload));
				return;
			case KIND.apps:
				this.onApps(readJSON(payload));
				return;
			case KIND.request:
				this.open(frame);
				return;
		}
		const stream = this.streams.get(id);
		if (!stream) return; // it has been answered, or given up
		if (kind === KIND.window) stream.widen(readWindow(payload));
		else if (kind === KIND.reset) stream.stop("the client has gone");
		else stream.receive(frame);
	}

	/** @param {Admission} admission */
	welcome(admission) {
		const lists = [admission?.addresses, admission?.hosts, admission?.picture ?? []];
		if (typeof admission?.session !== "string" || !lists.every(areStrings)) throw new Malformed("no welcome");
		if (admission.key) this.known = { session: admission.session, key: admission.key };
		this.joined = true;
		this.retry = FIRST_RETRY_MS;
		this.onState({ state: "sharing", admission, key: this.known?.key ?? "" });
	}

	/** @param {import("./wire.js").Frame} frame */
	open({ stream: id, payload, end }) {
		const { head, body } = readRequest(payload);
		if (!this.joined || this.streams.has(id)) throw new Malformed(`stream ${id} is open`);
		const stream = new Stream(this.wire, id);
		if (this.streams.size >= MAX_STREAMS) {
			this.socket?.send(encodeReset(id, RESET.refused, "too many requests in this tab"));
			return;
		}
		this.streams.set(id, stream);
		const asked = stream.request(head, body, end);
		stream.run(asked, this.serve).finally(() => {
			if (this.streams.get(id) === stream) this.streams.delete(id);
			this.onDone(stream, asked);
		});
	}

	/** @type {import("./stream.js").Wire["hand"]} */
	async hand(id, body, signal) {
		const { known, nonce } = this;
		const at = (/** @type {string} */ path) => new URL(`/_relay/body${path}`, this.relay);
		const init = /** @type {RequestInit} */ ({ method: "POST", credentials: "omit", cache: "no-store" });
		// a policy, a proxy or an older relay may not allow it
		this.mayHand ??= fetch(at(""), init).then(
			({ ok }) => ok,
			() => false,
		);
		if (!(await this.mayHand) || !known || this.handed >= MAX_HANDED) return null;
		return async () => {
			this.handed++;
			try {
				const proof = await prove(known.key, `${nonce} body ${id}`);
				// without a type: browsers would ask for leave first
				const bare = body.type ? body.slice() : body;
				return await fetch(at(`/${known.session}/${id}?proof=${proof}`), { ...init, body: bare, signal });
			} finally {
				this.handed--;
			}
		};
	}

	/** @returns {Promise<void> | null} null when there is space at once */
	drained() {
		const { socket } = this;
		if (!socket || socket.bufferedAmount < MAX_BUFFERED) return null;
		this.draining ??= (async () => {
			while (this.socket === socket && socket.bufferedAmount > MAX_BUFFERED / 2) {
				await new Promise((go) => setTimeout(go, 2));
			}
			this.draining = null;
		})();
		return this.draining;
	}

	/** The connection broke. @param {WebSocket} socket @param {number} code @param {string} reason */
	lost(socket, code, reason) {
		if (socket !== this.socket) return;
		this.socket = null;
		this.draining = null;
		for (const stream of this.streams.values()) stream.stop("the relay has gone");
		this.streams.clear();
		if (this.ended) return;
		// a relay that was started anew knows no sessions, but an operator's code still holds
		if (code === CLOSE.forbidden && !this.byCode) {
			this.known = null;
			return this.start();
		}
		if (FINAL.has(code)) {
			this.ended = true;
			this.onState({ state: "ended", code, message: reason });
			return;
		}
		this.onState({ state: "waiting", message: reason || "the relay cannot be reached" });
		this.timer = setTimeout(() => this.start(), this.retry * (0.75 + Math.random() / 2));
		this.retry = Math.min(LAST_RETRY_MS, this.retry * 2);
	}

	/** Ends sharing for good. */
	stop() {
		this.ended = true;
		clearTimeout(this.timer);
		const { socket } = this;
		this.socket = null;
		for (const stream of this.streams.values()) stream.stop("sharing was stopped");
		this.streams.clear();
		socket?.close(CLOSE.stopped, "sharing was stopped");
		this.onState({ state: "ended", code: CLOSE.stopped, message: "" });
	}
}

/** @param {unknown} list */
const areStrings = (list) => Array.isArray(list) && list.every((x) => typeof x === "string");

/** A code as it is compared: small letters and the dash do not matter. @param {string} code */
export const plainCode = (code) => code.replace(/[-\s]/g, "").toUpperCase();

/**
 * Shows that a secret is known without telling it.
 * @param {string} secret @param {string} nonce
 */
async function prove(secret, nonce) {
	const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
	const algorithm = { name: "HMAC", hash: "SHA-256" };
	const key = await crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
	const mac = await crypto.subtle.sign("HMAC", key, bytes(`${PROTOCOL} ${nonce}`));
	return Array.from(new Uint8Array(mac), (b) => b.toString(16).padStart(2, "0")).join("");
}
