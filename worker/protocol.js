// The messages between Kolibri's pages, the service worker and the server's worker.
// docs/protocol.md tells the whole story; this file is its vocabulary.

/** Raised when a message changes its meaning. Both ends compare it in `hello`. */
export const VERSION = 2;

/** Bytes of one body that may be under way before the receiver asks for more (wasm/response_js.go). */
export const CREDIT = 256 * 1024;

/** Parts of a streamed body are no longer than this. */
export const PART = 64 * 1024;

/** Statuses that have no body by definition: `new Response("", {status})` throws for them. */
export const BODYLESS = new Set([101, 204, 205, 304]);

/** Methods that may be sent again after the server changed hands: they change nothing. */
export const REPEATABLE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * @typedef {[name: string, value: string][]} HeaderList
 *
 * @typedef {{t: "req", id: number, method: string, url: string, headers: HeaderList,
 *   body?: Uint8Array, streams?: boolean, timeout?: number, cookies?: boolean, from?: string}} RequestMessage
 *   `streams`: the body follows in parts. `timeout`: milliseconds. `cookies`: the answer shall
 *   carry every cookie that a page may see, not only the changed ones. `from`: address of a client
 *   outside of this browser, who has cookies of its own and gets no rights of this origin's.
 *
 * @typedef {{t: "part", id: number, bytes: Uint8Array | null}} PartMessage null ends the body
 * @typedef {{t: "credit", id: number, n: number}} CreditMessage
 * @typedef {{t: "cancel", id: number}} CancelMessage
 * @typedef {{t: "bye"}} ByeMessage the client is going away
 * @typedef {RequestMessage | PartMessage | CreditMessage | CancelMessage | ByeMessage} ToServer
 *
 * @typedef {{t: "hello", version: number, epoch: string, build: string}} HelloMessage
 * @typedef {{t: "got", id: number}} GotMessage a write, or what has a
 *   timeout, has arrived and is about to be carried out
 * @typedef {{t: "res", id: number, status: number, headers: HeaderList, body: Uint8Array | null,
 *   cookies?: string[]}} AnswerMessage a whole answer; `cookies` in document.cookie's form
 * @typedef {{t: "head", id: number, status: number, headers: HeaderList, cookies?: string[]}} HeadMessage
 * @typedef {{t: "broken", id: number, message: string}} BrokenMessage the answer breaks off
 * @typedef {HelloMessage | GotMessage | AnswerMessage | HeadMessage | PartMessage | BrokenMessage | CreditMessage} ToClient
 */

/**
 * Names everything that two copies of the app on one origin must not share.
 * @param {URL | string} root address of the folder the app lies in
 * @param {string} what
 */
export const scoped = (root, what) => `kolibri:${new URL(root).pathname}:${what}`;

/**
 * What a request gets that may or may not have been carried out before the server changed hands.
 * Kolibri's own answer for a busy database (kolibri/core/device/middleware.py:
 * DatabaseBusyErrorHandler), which its pages show as an error and never as a lost connection.
 * @returns {{status: number, headers: HeaderList, body: Uint8Array}}
 */
export const unavailable = () => ({
	status: 503,
	headers: [
		["Content-Type", "text/html; charset=utf-8"],
		["Retry-After", "1"],
	],
	body: new TextEncoder().encode("Database is not available for write operations"),
});

/**
 * The folder of the origin's private file system that this app's home lies in.
 * @param {URL | string} root
 */
export function homeFolder(root) {
	const path = new URL(root).pathname.slice(1, -1);
	if (!path) return "kolibri-home";
	const hex = (/** @type {string} */ c) => `_${c.charCodeAt(0).toString(16)}_`;
	return `kolibri-home-${path.replace(/[^A-Za-z0-9-]/g, hex)}`;
}

/**
 * The header that browsers make of a person's languages, and that scripts cannot see.
 * @param {readonly string[]} languages the preferred first
 */
export const acceptLanguage = (languages) =>
	languages.map((tag, i) => (i ? `${tag};q=${Math.max(0.1, 1 - i / 10).toFixed(1)}` : tag)).join(",");
