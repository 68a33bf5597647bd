// Folders that a person has chosen in a tab, as drives for the server (wasm/drives_js.go). They come by
// broadcast from whichever tab has them, since handles and files can be sent and the tab need not lead.

import { scoped } from "./protocol.js";

/**
 * One chosen folder: a handle where the browser has a directory picker, else its files by path.
 * @typedef {object} Chosen
 * @property {string} id 32 hexadecimal digits
 * @property {string} name
 * @property {boolean} writable
 * @property {FileSystemDirectoryHandle} [handle]
 * @property {Map<string, File>} [files]
 */

/** Where Kolibri keeps its content on a drive; people also choose what is inside. */
const DATA = "KOLIBRI_DATA";

export class Drives {
	/** @param {URL} root */
	constructor(root) {
		/** @type {Map<string, Chosen>} */
		this.chosen = new Map();
		this.news = new BroadcastChannel(scoped(root, "drives"));
		this.news.onmessage = ({ data }) => {
			if (data.t === "chosen") for (const drive of data.drives) this.chosen.set(drive.id, drive);
			if (data.t === "removed") this.chosen.delete(data.id);
		};
		this.news.postMessage({ t: "who has drives" });
	}

	/** @returns {{id: string, name: string, writable: boolean}[]} */
	list() {
		return [...this.chosen.values()].map(({ id, name, writable }) => ({ id, name, writable }));
	}

	/**
	 * @param {string} id
	 * @param {string} path below the folder of Kolibri's data, such as content/databases
	 * @returns {Promise<File | string[] | null>} a file, the names in a folder, or nothing of that name
	 */
	async look(id, path) {
		const drive = this.chosen.get(id);
		if (!drive) return null;
		const parts = path === "." ? [] : path.split("/");
		if (drive.files) return lookIn(drive.files, parts);
		const data = await dataFolder(/** @type {FileSystemDirectoryHandle} */ (drive.handle));
		const folder = await follow(data, parts.slice(0, -1));
		const name = parts.at(-1);
		if (!folder) return null;
		if (name === undefined) return names(folder);
		const file = await folder.getFileHandle(name).catch(() => null);
		if (file) return file.getFile();
		const inner = await folder.getDirectoryHandle(name).catch(() => null);
		return inner && names(inner);
	}

	/** @param {string} id @param {string} path @returns {Promise<FileSystemWritableFileStream>} of a new file */
	async create(id, path) {
		const handle = /** @type {FileSystemDirectoryHandle} */ (this.chosen.get(id)?.handle);
		const parts = path.split("/");
		let folder = await dataFolder(handle, true);
		for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
		const file = await folder.getFileHandle(/** @type {string} */ (parts.at(-1)), { create: true });
		return file.createWritable();
	}

	/** @param {string} id @param {string} from @param {string} to */
	async rename(id, from, to) {
		const file = await this.look(id, from);
		if (!(file instanceof File)) throw new DOMException(from, "NotFoundError");
		await file.stream().pipeTo(await this.create(id, to));
		await this.remove(id, from);
	}

	/** @param {string} id @param {string} path */
	async remove(id, path) {
		const handle = /** @type {FileSystemDirectoryHandle} */ (this.chosen.get(id)?.handle);
		const parts = path.split("/");
		const folder = await follow(await dataFolder(handle), parts.slice(0, -1));
		await folder?.removeEntry(/** @type {string} */ (parts.at(-1)));
	}
}

/** @param {FileSystemDirectoryHandle} folder @param {boolean} [create] */
async function dataFolder(folder, create = false) {
	const inside = await folder.getDirectoryHandle(DATA).catch(() => null);
	if (inside || folder.name === DATA) return inside ?? folder;
	const content = await folder.getDirectoryHandle("content").catch(() => null);
	if (content) return folder;
	return create ? folder.getDirectoryHandle(DATA, { create }) : folder;
}

/** @param {FileSystemDirectoryHandle} folder @param {string[]} parts */
async function follow(folder, parts) {
	/** @type {FileSystemDirectoryHandle | null} */
	let at = folder;
	for (const part of parts) at = (await at?.getDirectoryHandle(part).catch(() => null)) ?? null;
	return at;
}

/** @param {FileSystemDirectoryHandle} folder */
async function names(folder) {
	const list = [];
	for await (const name of /** @type {any} */ (folder).keys()) list.push(name);
	return list;
}

/**
 * @param {Map<string, File>} files by their path from the chosen folder on
 * @param {string[]} parts
 */
export function lookIn(files, parts) {
	const at = parts.join("/");
	const found = new Set();
	for (const [path, file] of files) {
		const own = path.includes(`${DATA}/`)
			? path.slice(path.indexOf(`${DATA}/`) + DATA.length + 1)
			: path.slice(path.indexOf("/") + 1);
		if (own === at) return file;
		if (at === "") found.add(own.split("/")[0]);
		else if (own.startsWith(`${at}/`)) found.add(own.slice(at.length + 1).split("/")[0]);
	}
	return found.size || at === "" ? [...found] : null;
}
