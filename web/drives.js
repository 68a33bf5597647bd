// Folders and sticks with Kolibri's content that a person chooses: the server sees them as drives. A
// handle is kept, so that the folder is known the next time; the browser asks again for permission.

import { scoped } from "../worker/protocol.js";

/** @typedef {import("../worker/drives.js").Chosen} Chosen */

const STORE = "folders";

export class Drives {
	/** @param {URL} root */
	constructor(root) {
		this.database = scoped(root, "drives");
		/** @type {Map<string, Chosen>} that may be read now */
		this.ready = new Map();
		this.news = new BroadcastChannel(scoped(root, "drives"));
		this.news.onmessage = ({ data }) => {
			if (data.t === "who has drives") this.tell();
		};
		this.known().then(async (all) => {
			for (const drive of all) if (await allowed(drive, false)) this.ready.set(drive.id, drive);
			this.tell();
		}, ignore);
	}

	/** The browser has a picker whose choice can be kept. */
	get canPick() {
		return "showDirectoryPicker" in window;
	}

	tell() {
		if (this.ready.size) this.news.postMessage({ t: "chosen", drives: [...this.ready.values()] });
	}

	/** Lets the person choose; nothing happens when they do not. */
	async pick() {
		const picker = /** @type {any} */ (window).showDirectoryPicker;
		const handle = await picker({ id: "kolibri", mode: "readwrite" }).catch(() => null);
		if (handle) await this.add({ id: newId(), name: handle.name, writable: true, handle });
	}

	/** @param {FileList | File[]} list from `<input webkitdirectory>` */
	async addFiles(list) {
		const files = new Map([...list].map((file) => [file.webkitRelativePath || file.name, file]));
		const [first] = files.keys();
		if (first) await this.add({ id: newId(), name: first.split("/")[0], writable: false, files });
	}

	/** @param {DataTransfer} dropped */
	async addDropped(dropped) {
		const asked = [...dropped.items].map((item) => /** @type {any} */ (item).getAsFileSystemHandle?.());
		for (const handle of await Promise.all(asked)) {
			if (handle?.kind === "directory")
				await this.add({ id: newId(), name: handle.name, writable: false, handle });
		}
	}

	/** @param {Chosen} drive */
	async add(drive) {
		this.ready.set(drive.id, drive);
		this.tell();
		// Files of an input end with the page.
		if (drive.handle) await this.store("readwrite", (store) => store.put(drive)).catch(ignore);
	}

	/** Asks the browser for permission again. @param {Chosen} drive */
	async allow(drive) {
		if (!(await allowed(drive, true))) return false;
		this.ready.set(drive.id, drive);
		this.tell();
		return true;
	}

	/** @param {string} id */
	async remove(id) {
		this.ready.delete(id);
		this.news.postMessage({ t: "removed", id });
		await this.store("readwrite", (store) => store.delete(id)).catch(ignore);
	}

	/** @returns {Promise<Chosen[]>} those of earlier visits as well */
	async known() {
		const kept = await this.store("readonly", (store) => store.getAll()).catch(() => []);
		return [...new Map([...kept, ...this.ready.values()].map((drive) => [drive.id, drive])).values()];
	}

	/**
	 * @param {IDBTransactionMode} mode
	 * @param {(store: IDBObjectStore) => IDBRequest} ask
	 * @returns {Promise<any>}
	 */
	async store(mode, ask) {
		const opening = indexedDB.open(this.database, 1);
		opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
		const database = await result(opening);
		try {
			return await result(ask(database.transaction(STORE, mode).objectStore(STORE)));
		} finally {
			database.close();
		}
	}
}

/** Without the browser's storage the choice lasts as long as the page. */
const ignore = () => {};

const newId = () => crypto.randomUUID().replaceAll("-", "");

/** @param {Chosen} drive @param {boolean} ask */
async function allowed({ handle, writable }, ask) {
	const may = /** @type {any} */ (handle);
	const mode = { mode: writable ? "readwrite" : "read" };
	if (!may?.queryPermission) return true;
	const state = await (ask ? may.requestPermission(mode) : may.queryPermission(mode));
	return state === "granted";
}

/** @param {IDBRequest} request @returns {Promise<any>} */
const result = (request) =>
	new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});
