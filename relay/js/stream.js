// One request that a relay passes to this tab, and its answer on the way back.

import {
	encode,
	encodeHead,
	encodeReset,
	encodeWindow,
	KIND,
	MAX_PART,
	Malformed,
	RESET,
	WINDOW,
} from "./wire.js";

/**
 * A request from outside.
 * @typedef {object} Asked
 * @property {string} method
 * @property {string} url absolute, as the client asked for it
 * @property {import("./wire.js").HeaderList} headers
 * @property {string} from the client's address and port
 * @property {string} [app] the deployed app that is meant
 * @property {Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null} body
 * @property {AbortSignal} signal aborted when nobody waits for the answer any more
 *
 * @typedef {object} Answered
 * @property {number} status
 * @property {import("./wire.js").HeaderList} headers
 * @property {Uint8Array | ReadableStream<Uint8Array> | Blob | null} body a Blob goes out fastest
 */

/** From how many bytes on a file is worth a request of its own. */
const WORTH_POSTING = 256 * 1024;

const NOTHING = new Uint8Array();

/**
 * The way out: frames, and when there is space for them. `hand` sends a body by a request of its own;
 * null when that cannot be done now.
 * @typedef {object} Wire
 * @property {(frame: Uint8Array<ArrayBuffer>) => void} post
 * @property {() => Promise<void> | null} drained
 * @property {(id: number, body: Blob, signal: AbortSignal) => Promise<(() => Promise<Response>) | null>} hand
 */

export class Stream {
	/**
	 * @param {Wire} wire
	 * @param {number} id
	 */
	constructor(wire, id) {
		this.wire = wire;
		this.id = id;
		this.abort = new AbortController();
		/** Bytes that the relay has room for. */
		this.room = WINDOW;
		/** @type {(() => void) | null} */
		this.onRoom = null;
		/** @type {ReadableStreamDefaultController<Uint8Array> | null} the request's body */
		this.upload = null;
		/** Bytes of the request's body that the relay may still send. */
		this.granted = WINDOW;
		this.bytesIn = 0;
		this.bytesOut = 0;
		this.over = false;
	}

	/**
	 * @param {import("./wire.js").RequestHead} head
	 * @param {Uint8Array<ArrayBuffer>} first
	 * @param {boolean} whole
	 * @returns {Asked}
	 */
	request({ method, url, headers, from, app }, first, whole) {
		const { signal } = this.abort;
		const body = whole ? (first.length ? first : null) : this.openUpload(first);
		this.bytesIn += first.length;
		return { method, url, headers, from, app, body, signal };
	}

	/** @param {Uint8Array} first */
	openUpload(first) {
		this.granted -= first.length;
		return new ReadableStream(
			{
				start: (controller) => {
					this.upload = controller;
					if (first.length) controller.enqueue(first);
				},
				pull: (controller) => {
					const give = (controller.desiredSize ?? 0) - this.granted;
					if (this.over || give < MAX_PART) return;
					this.granted += give;
					this.wire.post(encodeWindow(this.id, give));
				},
			},
			{ highWaterMark: WINDOW, size: (part) => part?.length ?? 0 },
		);
	}

	/** @param {import("./wire.js").Frame} frame */
	receive({ kind, end, payload }) {
		if (kind === KIND.data) {
			if (!this.upload) throw new Malformed("a part of a body that has ended");
			this.granted -= payload.length;
			this.bytesIn += payload.length;
			if (this.granted < 0) throw new Malformed("more bytes than there was room for");
			if (payload.length) this.upload.enqueue(payload);
			if (!end) return;
			this.upload.close();
			this.upload = null;
		} else throw new Malformed(`kind ${kind} from a relay`);
	}

	/** @param {number} n */
	widen(n) {
		this.room += n;
		this.onRoom?.();
		this.onRoom = null;
	}

	/** Nobody waits any more. @param {string} why */
	stop(why) {
		if (this.over) return;
		this.over = true;
		this.abort.abort(new Error(why));
		try {
			this.upload?.error(new Error(why));
		} catch {
			// its reader had gone already
		}
		this.widen(0);
	}

	/** @param {Answered} answer */
	async send({ status, headers, body }) {
		const head = { status, headers };
		if (body instanceof Blob) {
			if (await this.handOver(head, body)) return;
			body = body.size > MAX_PART ? body.stream() : new Uint8Array(await body.arrayBuffer());
			if (this.over) return;
		}
		if (body === null || body instanceof Uint8Array) {
			const bytes = /** @type {Uint8Array} */ (body ?? NOTHING);
			if (bytes.length <= MAX_PART) {
				this.bytesOut += bytes.length;
				this.room -= bytes.length;
				this.wire.post(encodeHead(KIND.response, this.id, head, bytes, true));
				return;
			}
			this.wire.post(encodeHead(KIND.response, this.id, head, NOTHING, false));
			await this.sendParts(bytes);
		} else {
			this.wire.post(encodeHead(KIND.response, this.id, head, NOTHING, false));
			const reader = body.getReader();
			for (;;) {
				const { value, done } = await reader.read();
				if (done) break;
				if (!(await this.sendParts(value))) {
					reader.cancel().catch(() => {});
					return;
				}
			}
		}
		if (!this.over) this.wire.post(encode(KIND.data, this.id, NOTHING, true));
	}

	/** @param {object} head @param {Blob} body @returns {Promise<boolean>} false when frames have to do */
	async handOver(head, body) {
		const go = body.size >= WORTH_POSTING && (await this.wire.hand(this.id, body, this.abort.signal));
		if (!go) return false;
		if (!this.over) {
			this.wire.post(encodeHead(KIND.response, this.id, head, NOTHING, false));
			const { ok, status } = await go();
			if (ok) this.bytesOut += body.size;
			else throw new Error(`the relay did not take the body: ${status}`);
		}
		return true;
	}

	/**
	 * @param {Uint8Array} bytes
	 * @returns {Promise<boolean>} false when nobody waits any more
	 */
	async sendParts(bytes) {
		for (let at = 0; at < bytes.length; ) {
			while (!this.over && this.room <= 0) {
				await new Promise((go) => {
					this.onRoom = () => go(null);
				});
			}
			const full = this.wire.drained();
			if (full) await full;
			if (this.over) return false;
			const part = bytes.subarray(at, at + Math.min(MAX_PART, this.room));
			this.room -= part.length;
			this.bytesOut += part.length;
			at += part.length;
			this.wire.post(encode(KIND.data, this.id, part));
		}
		return true;
	}

	/** It could not be answered. @param {number} code @param {string} reason */
	refuse(code, reason) {
		if (!this.over) this.wire.post(encodeReset(this.id, code, reason));
		this.stop(reason);
	}

	/** Serves the request and sends what comes of it. @param {Asked} asked @param {(asked: Asked) => Promise<Answered>} serve */
	async run(asked, serve) {
		try {
			const answer = await serve(asked);
			if (this.over) {
				if (answer.body instanceof ReadableStream) answer.body.cancel().catch(() => {});
				return;
			}
			await this.send(answer);
		} catch (error) {
			this.refuse(RESET.failed, String(error));
		}
		this.over = true;
	}
}
