// The frames between a relay and a tab, as the tab sees them: the counterpart of relay/wire.
// docs/relay.md describes them.

export const PROTOCOL = "kolibri-relay.1";
export const VERSION = 1;

/** Bytes of a body that one frame holds at most, and of a head. */
export const MAX_PART = 64 * 1024;
export const MAX_HEAD = 192 * 1024;
const HEADER = 6;
const MAX_FRAME = HEADER + 4 + MAX_HEAD + MAX_PART;

/** Bytes of a body that may be under way before the receiver gives room for more. */
export const WINDOW = 512 * 1024;
const MAX_WINDOW = 2 ** 30;

export const KIND = /** @type {const} */ ({
	hello: 1,
	join: 2,
	welcome: 3,
	ping: 4,
	pong: 5,
	goAway: 6,
	apps: 7,
	request: 16,
	response: 17,
	data: 18,
	window: 19,
	reset: 20,
});
const OF_STREAM = new Set([KIND.request, KIND.response, KIND.data, KIND.window, KIND.reset]);
const WITH_BODY = new Set([KIND.request, KIND.response, KIND.data]);
const KINDS = new Set(Object.values(KIND));

/** Why a stream was reset. */
export const RESET = { cancelled: 1, deadline: 2, failed: 3, refused: 4 };

/** Why a relay closed the connection. */
export const CLOSE = {
	protocol: 4400,
	forbidden: 4401,
	timeout: 4408,
	replaced: 4409,
	stopped: 4410,
	busy: 4429,
};

/** Flag of a frame after which no part of the body follows. */
const END = 1;

/** @typedef {[name: string, value: string][]} HeaderList */

/** What came is no frame of this protocol. */
export class Malformed extends Error {
	name = "Malformed";
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * @typedef {object} Frame
 * @property {number} kind
 * @property {boolean} end
 * @property {number} stream
 * @property {Uint8Array<ArrayBuffer>} payload
 */

/**
 * @param {ArrayBuffer} message
 * @returns {Frame}
 */
export function decode(message) {
	if (message.byteLength < HEADER || message.byteLength > MAX_FRAME) {
		throw new Malformed(`${message.byteLength} bytes`);
	}
	const view = new DataView(message);
	const kind = view.getUint8(0);
	const flags = view.getUint8(1);
	const stream = view.getUint32(2);
	const payload = new Uint8Array(message, HEADER);
	if (!KINDS.has(/** @type {any} */ (kind))) throw new Malformed(`kind ${kind}`);
	if (OF_STREAM.has(/** @type {any} */ (kind)) !== (stream !== 0)) {
		throw new Malformed(`kind ${kind} on stream ${stream}`);
	}
	if ((flags & ~END) !== 0 || (flags === END && !WITH_BODY.has(/** @type {any} */ (kind)))) {
		throw new Malformed(`flags ${flags}`);
	}
	const { length } = payload;
	if (kind === KIND.data && (length > MAX_PART || (length === 0 && flags !== END))) {
		throw new Malformed(`a part of ${length} bytes`);
	}
	if (kind === KIND.window && length !== 4) throw new Malformed(`a window of ${length} bytes`);
	if (kind === KIND.reset && length < 2) throw new Malformed("a reset without a code");
	if ((kind === KIND.ping || kind === KIND.pong) && length > 64)
		throw new Malformed(`a ping of ${length} bytes`);
	return { kind, end: flags === END, stream, payload };
}

/**
 * @param {number} kind
 * @param {number} stream
 * @param {Uint8Array} [payload]
 * @param {boolean} [end]
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encode(kind, stream, payload = new Uint8Array(), end = false) {
	const message = new Uint8Array(HEADER + payload.length);
	const view = new DataView(message.buffer);
	view.setUint8(0, kind);
	view.setUint8(1, end ? END : 0);
	view.setUint32(2, stream);
	message.set(payload, HEADER);
	return message;
}

/** @param {number} kind @param {unknown} what */
export const encodeJSON = (kind, what) => encode(kind, 0, encoder.encode(JSON.stringify(what)));

/**
 * @param {Uint8Array} payload
 * @returns {any}
 */
export function readJSON(payload) {
	try {
		return JSON.parse(decoder.decode(payload));
	} catch {
		throw new Malformed("no JSON");
	}
}

/**
 * A head with the first part of its body.
 * @param {number} kind
 * @param {number} stream
 * @param {unknown} head
 * @param {Uint8Array} body
 * @param {boolean} end
 */
export function encodeHead(kind, stream, head, body, end) {
	const text = encoder.encode(JSON.stringify(head));
	if (text.length > MAX_HEAD) throw new Malformed(`a head of ${text.length} bytes`);
	const payload = new Uint8Array(4 + text.length + body.length);
	new DataView(payload.buffer).setUint32(0, text.length);
	payload.set(text, 4);
	payload.set(body, 4 + text.length);
	return encode(kind, stream, payload, end);
}

/**
 * @param {Uint8Array<ArrayBuffer>} payload
 * @returns {{head: any, body: Uint8Array<ArrayBuffer>}}
 */
export function readHead(payload) {
	if (payload.length < 4) throw new Malformed("no head");
	const n = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
	if (n > MAX_HEAD || n > payload.length - 4) throw new Malformed(`a head of ${n} bytes`);
	const body = payload.subarray(4 + n);
	if (body.length > MAX_PART) throw new Malformed(`a part of ${body.length} bytes`);
	return { head: readJSON(payload.subarray(4, 4 + n)), body };
}

/** @typedef {{method: string, url: string, headers: HeaderList, from: string, timeout: number, app?: string}} RequestHead */

/**
 * @param {Uint8Array<ArrayBuffer>} payload
 * @returns {{head: RequestHead, body: Uint8Array<ArrayBuffer>}}
 */
export function readRequest(payload) {
	const { head, body } = readHead(payload);
	const strings = [head?.method, head?.url, head?.from];
	const pairs = Array.isArray(head?.headers) ? head.headers : [null];
	const isPair = (/** @type {unknown} */ p) =>
		Array.isArray(p) && p.length === 2 && p.every((x) => typeof x === "string" && !/[\r\n\0]/.test(x));
	if (strings.some((s) => typeof s !== "string") || !pairs.every(isPair)) throw new Malformed("no request");
	return { head, body };
}

/** @param {number} stream @param {number} n */
export function encodeWindow(stream, n) {
	const payload = new Uint8Array(4);
	new DataView(payload.buffer).setUint32(0, n);
	return encode(KIND.window, stream, payload);
}

/** @param {Uint8Array<ArrayBuffer>} payload */
export function readWindow(payload) {
	const n = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
	if (n > MAX_WINDOW) throw new Malformed(`a window of ${n} bytes`);
	return n;
}

/** @param {number} stream @param {number} code @param {string} reason */
export function encodeReset(stream, code, reason) {
	const text = encoder.encode(reason.slice(0, 500));
	const payload = new Uint8Array(2 + text.length);
	new DataView(payload.buffer).setUint16(0, code);
	payload.set(text, 2);
	return encode(KIND.reset, stream, payload);
}
