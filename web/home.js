// The person's data as a whole: how much room it takes, saving it, bringing it back, deleting it.
// The server does the work (wasm/host_js.go); this is the shell's side of it.

import { addMark } from "./urls.js";
import { entries, open, ZipError } from "./zip.js";

const DATABASE = "db.sqlite3";
const SQLITE = "SQLite format 3\0";
const ASKED = "kolibri:asked-to-persist";

/** Long enough for a download to begin; the browser has taken it over then. */
const KEEP_FRAME_MS = 120_000;

/** Something about a chosen file that the person can understand. */
export class HomeError extends Error {
	name = "HomeError";
}

/** @type {Record<string, string>} by the codes of wasm/host_js.go */
const REFUSALS = {
	"damaged-database": "The database in this file is damaged. Nothing was changed.",
	"not-kolibri": "This file holds no data of Kolibri. Nothing was changed.",
	"newer-database": "This file comes from a newer Kolibri. Nothing was changed.",
	full: "There is not enough space on this device. Nothing was changed.",
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

	/** Saves everything as one file, in the layout of a KOLIBRI_HOME. */
	download() {
		const frame = document.createElement("iframe");
		frame.hidden = true;
		frame.title = "Download";
		frame.src = addMark(new URL("_host/backup", this.root), "").href;
		document.body.append(frame);
		setTimeout(() => frame.remove(), KEEP_FRAME_MS);
	}

	/**
	 * Replaces everything by what a file holds.
	 * @param {Blob} file a download of ours, a zipped KOLIBRI_HOME, or its database alone
	 */
	async restore(file) {
		await this.replace("restore", await databaseIn(file));
	}

	async reset() {
		await this.replace("reset", null);
	}

	/** @param {"restore" | "reset"} what @param {ReadableStream<Uint8Array> | null} body */
	async replace(what, body) {
		const url = new URL(`_host/${what}`, this.root).href;
		const answer = await this.server.request({ method: "POST", url, body });
		this.onReplaced();
		if (answer.status < 300) return;
		const { code, message } = await new Response(/** @type {BodyInit} */ (answer.body))
			.json()
			.catch(() => ({}));
		throw new HomeError(
			REFUSALS[code] ?? `It did not work, and nothing was changed. (${message ?? answer.status})`,
		);
	}
}

/** @param {Blob} file @returns {Promise<ReadableStream<Uint8Array>>} */
async function databaseIn(file) {
	if (await isDatabase(file.stream())) return file.stream();
	try {
		const list = await entries(file);
		// People zip the folder as well as what is in it.
		const entry = list.find(({ name }) => name === DATABASE || name.endsWith(`/${DATABASE}`));
		if (!entry) throw new HomeError("There is no data of Kolibri in this file.");
		if (!(await isDatabase(await open(file, entry)))) throw new HomeError(REFUSALS["damaged-database"]);
		return await open(file, entry);
	} catch (error) {
		if (error instanceof ZipError) throw new HomeError(`This file cannot be used: ${error.message}.`);
		throw error;
	}
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
