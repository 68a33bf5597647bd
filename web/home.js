// The person's data as a whole: how much room it takes, saving it, bringing it back, deleting it.
// The server does the work (wasm/host_js.go); this is the shell's side of it.

import { later, say } from "./say.js";
import { addMark } from "./urls.js";
import { entries, open, ZipError } from "./zip.js";

const DATABASE = "db.sqlite3";
const SQLITE = "SQLite format 3\0";
const CONTENT = /^(storage\/[0-9a-f]\/[0-9a-f]\/[0-9a-f]{32}\.[a-z0-9]+|databases\/[0-9a-f]{32}\.sqlite3)$/;
const CREATED = 201;
const ASKED = "kolibri:asked-to-persist";

/** Long enough for a download to begin; the browser has taken it over then. */
const KEEP_FRAME_MS = 120_000;

/** Something about a chosen file that the person can understand. */
export class HomeError extends Error {
	name = "HomeError";
}

/** @type {Record<string, string>} by the codes of wasm/host_js.go */
const REFUSALS = {
	"damaged-database": later("The database in this file is damaged. Nothing was changed."),
	"not-kolibri": later("This file holds no data of Kolibri. Nothing was changed."),
	"newer-database": later("This file comes from a newer Kolibri. Nothing was changed."),
	"damaged-content": later("A file of a channel in this backup is damaged. Nothing was changed."),
	full: later("There is not enough space on this device. Nothing was changed."),
};

export class Home {
	/**
	 * @param {URL} root
	 * @param {import("../worker/client.js").Connection} server
	 * @param {() => void} onReplaced the server has to be started anew
	 */
	constructor(root, server, onReplaced) {
		this.root = root;
		this.server = server;
		this.onReplaced = onReplaced;
		/** @type {{ready: boolean, complete?: boolean}} what the service worker last said */
		this.offline = { ready: false };
	}

	/** @returns {Promise<{usage: number, quota: number, persisted: boolean}>} bytes */
	async space() {
		const { usage = 0, quota = 0 } = await navigator.storage.estimate();
		return { usage, quota, persisted: await navigator.storage.persisted() };
	}

	/** Asks the browser, once, not to delete the data when it needs room. */
	async askToPersist() {
		if (localStorage.getItem(ASKED) || (await navigator.storage.persisted())) return;
		localStorage.setItem(ASKED, "1");
		await navigator.storage.persist();
	}

	/**
	 * Saves everything as one file, in the layout of a KOLIBRI_HOME.
	 * @param {boolean} withContent with the channels' files
	 */
	download(withContent) {
		const url = new URL("_host/backup", this.root);
		if (withContent) url.searchParams.set("content", "1");
		const frame = document.createElement("iframe");
		frame.hidden = true;
		frame.title = "Download";
		frame.src = addMark(url, "").href;
		document.body.append(frame);
		setTimeout(() => frame.remove(), KEEP_FRAME_MS);
	}

	/**
	 * Replaces everything by what a file holds. Content is only added, and taken back if the database
	 * is refused in the end.
	 * @param {Blob} file a download of ours, a zipped KOLIBRI_HOME, or its database alone
	 * @param {(done: number, of: number) => void} onProgress files of content
	 */
	async restore(file, onProgress) {
		const { database, content } = await homeIn(file);
		/** @type {string[]} */
		const added = [];
		let ended = false;
		try {
			for (const [i, { path, entry }] of content.entries()) {
				onProgress(i, content.length);
				const status = await this.call("PUT", `content/${path}`, await open(file, entry));
				if (status === CREATED) added.push(path);
			}
			ended = true; // whatever comes of it, the server closes its database
			await this.call("POST", "restore", await database());
		} catch (error) {
			for (const path of added) await this.call("DELETE", `content/${path}`, null).catch(() => {});
			throw explained(error);
		} finally {
			if (ended) this.onReplaced();
		}
	}

	async reset() {
		await this.call("POST", "reset", null).finally(this.onReplaced);
	}

	/**
	 * Asks the host's own routes (docs/protocol.md).
	 * @param {string} method @param {string} path @param {ReadableStream<Uint8Array> | null} body
	 * @returns {Promise<number>} the status
	 */
	async call(method, path, body) {
		const url = new URL(`_host/${path}`, this.root).href;
		const answer = await this.server.request({ method, url, body });
		if (answer.status < 300) return answer.status;
		const { code, message } = await new Response(/** @type {BodyInit} */ (answer.body))
			.json()
			.catch(() => ({}));
		throw new HomeError(
			code in REFUSALS
				? say(REFUSALS[code])
				: say("It did not work, and nothing was changed. ({message})", { message: message ?? answer.status }),
		);
	}
}

/** @param {unknown} error */
const explained = (error) =>
	error instanceof ZipError
		? new HomeError(say("This file cannot be used: {reason}.", { reason: say(error.message) }))
		: error;

/**
 * What of a home is in a file.
 * @param {Blob} file
 * @returns {Promise<{
 *   database: () => Promise<ReadableStream<Uint8Array>>,
 *   content: {path: string, entry: import("./zip.js").Entry}[],
 * }>} content by its path in the content folder
 */
async function homeIn(file) {
	if (await isDatabase(file.stream())) return { database: async () => file.stream(), content: [] };
	const list = await entries(file).catch((error) => {
		throw explained(error);
	});
	// People zip the folder as well as what is in it.
	const entry = list.find(({ name }) => name === DATABASE || name.endsWith(`/${DATABASE}`));
	if (!entry) throw new HomeError(say("There is no data of Kolibri in this file."));
	const database = () => open(file, entry);
	if (!(await isDatabase(await database()))) throw new HomeError(say(REFUSALS["damaged-database"]));
	const folder = `${entry.name.slice(0, -DATABASE.length)}content/`;
	const content = list
		.filter(({ name }) => name.startsWith(folder) && CONTENT.test(name.slice(folder.length)))
		.map((entry) => ({ path: entry.name.slice(folder.length), entry }));
	return { database, content };
}

/** @param {ReadableStream<Uint8Array>} content */
async function isDatabase(content) {
	const reader = content.getReader();
	let start = "";
	while (start.length < SQLITE.length) {
		const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
		if (done || !value) break;
		start += String.fromCharCode(...value.subarray(0, SQLITE.length));
	}
	await reader.cancel().catch(() => {});
	return start.startsWith(SQLITE);
}
