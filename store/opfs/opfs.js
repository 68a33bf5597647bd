// JavaScript half of store/opfs: the origin private file system as seen by Go.
//
// SQLite's data path must not copy and must not go through syscall/js (a js.Value.Call costs 100
// times a wasm import), so reads and writes are wasm imports that hand Go's own memory to a
// synchronous access handle. Everything that has to wait (opening, deleting, listing) is rare and
// goes through the object `kolibriOPFS`, whose methods return promises that Go awaits.
//
// Only a dedicated worker has synchronous access handles; who may hold them is decided outside,
// by a Web Lock.

/** Result codes of the imports; store/opfs/handle_js.go knows the same numbers. */
const FAILED = -1;
const FULL = -2;

/** A holder that just went may keep its handles for a moment; Chromium grants a busy worker 2 s. */
const RETRY_MS = 15;
const RETRY_FOR_MS = 5000;

/**
 * The part of wasm_exec.js's Go class that is needed here.
 * @typedef {{importObject: Record<string, any>, _inst?: WebAssembly.Instance}} GoRuntime
 */

/**
 * @typedef {object} SyncHandle
 * @property {(buffer: Uint8Array, options: {at: number}) => number} read
 * @property {(buffer: Uint8Array, options: {at: number}) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 * @property {() => number} getSize
 * @property {() => void} close
 */

/** @typedef {FileSystemFileHandle & {createSyncAccessHandle(): Promise<SyncHandle>, move(name: string): Promise<void>}} FileHandle */

/**
 * The files that Go can reach, below one root directory.
 * @typedef {object} Files
 * @property {(dir: string) => Promise<string[]>} list names of the files in dir, which is made if missing
 * @property {(dir: string, name: string, create: boolean) => Promise<number>} open number of a new handle
 * @property {(handle: number) => void} close
 * @property {(dir: string, name: string) => Promise<void>} remove a missing file is no error
 * @property {(dir: string) => Promise<void>} removeTree a directory with all that is in it; a missing one is no error
 * @property {(dir: string, from: string, to: string) => Promise<void>} rename replaces `to`
 * @property {(dir: string, name: string) => Promise<number>} modified when a file was written, in milliseconds since 1970
 * @property {() => Promise<void>} probe rejects where files cannot be opened synchronously and renamed
 * @property {(dir: string, names: string[]) => Promise<boolean>} ahead opens the files of these names that
 *     are in dir, for the first who lists and opens them; whether the first of them is there
 * @property {() => string} error what the last failed import said
 */

/**
 * Adds the import module `opfs` to a Go program that is not instantiated yet, and publishes
 * `globalThis.kolibriOPFS` for its waiting calls.
 * @param {GoRuntime} go
 * @param {{directory?: FileSystemDirectoryHandle}} [options] directory: root of all paths, by
 *     default the origin's
 * @returns {Promise<Files>}
 */
export async function installOPFS(go, { directory } = {}) {
	/** @type {(SyncHandle | undefined)[]} */
	const handles = [];
	let lastError = "";

	/** @param {number} ptr @param {number} length */
	const view = (ptr, length) => {
		// Taken anew at every call: a growing memory detaches the old buffer.
		const memory = /** @type {WebAssembly.Memory} */ (go._inst?.exports.mem);
		return new Uint8Array(memory.buffer, ptr >>> 0, length);
	};

	/**
	 * An exception that left an import would end the Go program.
	 * @param {number} handle
	 * @param {(handle: SyncHandle) => number | void} action
	 */
	const guarded = (handle, action) => {
		try {
			const target = handles[handle];
			if (!target) throw new Error(`no open file has the handle ${handle}`);
			return action(target) ?? 0;
		} catch (error) {
			lastError = String(error);
			return /** @type {any} */ (error)?.name === "QuotaExceededError" ? FULL : FAILED;
		}
	};

	go.importObject.opfs = {
		/** @type {(h: number, ptr: number, n: number, at: number) => number} */
		read: (h, ptr, n, at) => guarded(h, (file) => file.read(view(ptr, n), { at })),
		/** @type {(h: number, ptr: number, n: number, at: number) => number} */
		write: (h, ptr, n, at) => guarded(h, (file) => file.write(view(ptr, n), { at })),
		/** @type {(h: number, size: number) => number} */
		truncate: (h, size) => guarded(h, (file) => file.truncate(size)),
		/** @type {(h: number) => number} */
		flush: (h) => guarded(h, (file) => file.flush()),
		/** @type {(h: number) => number} */
		size: (h) => guarded(h, (file) => file.getSize()),
	};

	const files = makeFiles(handles, () => lastError, directory);
	/** @type {any} */ (globalThis).kolibriOPFS = files;
	return files;
}

/**
 * @param {(SyncHandle | undefined)[]} handles
 * @param {() => string} error
 * @param {FileSystemDirectoryHandle} [root]
 * @returns {Files}
 */
function makeFiles(handles, error, root) {
	// Kept, because each step on the way to a file is a call to the browser's process.
	/** @type {Map<string, Promise<FileSystemDirectoryHandle>>} */
	const directories = new Map();
	/** @param {string} path @returns {Promise<FileSystemDirectoryHandle>} */
	const directoryAt = (path) => {
		const parts = path.split("/").filter((part) => part && part !== ".");
		const name = parts.pop();
		if (name === undefined) return root ? Promise.resolve(root) : navigator.storage.getDirectory();
		const key = [...parts, name].join("/");
		const found =
			directories.get(key) ??
			directoryAt(parts.join("/")).then((parent) => parent.getDirectoryHandle(name, { create: true }));
		directories.set(key, found);
		found.catch(() => directories.delete(key));
		return found;
	};

	// Files that were made here and are still to get their name: a transfer is written, then renamed.
	/** @type {Map<string, FileHandle>} */
	const made = new Map();

	// What was opened before Go asked for it. Whatever else is done in a directory gives it back first.
	let early = noneEarly;
	/** @type {Promise<unknown>} */
	let opening = Promise.resolve();
	const giveBack = async () => {
		await opening;
		const { dir, files } = early;
		early = noneEarly;
		if (dir === null) return;
		for (const file of files.values()) (await file.catch(() => null))?.close();
	};

	/** @param {string} dir @param {string} name @param {boolean} create */
	const fileAt = async (dir, name, create) =>
		/** @type {FileHandle} */ (await (await directoryAt(dir)).getFileHandle(name, { create }));

	// Asked early: Go wants to know when it starts, and until then there is time.
	const probing = probe();
	probing.catch(() => {}); // Go meets the failure

	async function probe() {
		const directory = await directoryAt("");
		const name = `.probe-${Math.random().toString(36).slice(2)}`;
		const file = /** @type {FileHandle} */ (await directory.getFileHandle(name, { create: true }));
		try {
			(await file.createSyncAccessHandle()).close();
			await file.move(`${name}-moved`);
		} finally {
			await Promise.allSettled([directory.removeEntry(name), directory.removeEntry(`${name}-moved`)]);
		}
	}

	/** @param {string} dir @param {string[]} names */
	async function openAhead(dir, names) {
		let directory = root ?? (await navigator.storage.getDirectory());
		for (const part of dir.split("/")) directory = await directory.getDirectoryHandle(part);
		const there = await filesIn(directory);
		/** @type {typeof early.files} */
		const files = new Map();
		for (const name of names.filter((name) => there.includes(name))) {
			const handle = directory.getFileHandle(name).then(openHandle);
			handle.catch(() => {}); // as above
			files.set(name, handle);
		}
		early = { dir, names: there, files };
		return files.has(names[0]);
	}

	return {
		error,

		ahead(dir, names) {
			const answer = openAhead(dir, names);
			opening = answer.catch(() => {}); // whoever opens the files meets the failure
			return answer;
		},

		async list(dir) {
			await opening;
			if (trimmed(dir) !== early.dir || !early.names) return filesIn(await directoryAt(dir));
			const { names } = early;
			early.names = null;
			return names;
		},

		async open(dir, name, create) {
			await opening;
			const opened = trimmed(dir) === early.dir ? early.files.get(name) : undefined;
			if (opened) early.files.delete(name);
			let handle = await opened?.catch(() => null);
			if (!handle) {
				const file = await fileAt(dir, name, create);
				if (create) made.set(dir + name, file);
				handle = await openHandle(file);
			}
			const free = handles.indexOf(undefined);
			const number = free < 0 ? handles.length : free;
			handles[number] = handle;
			return number;
		},

		close(number) {
			handles[number]?.close();
			handles[number] = undefined;
		},

		async remove(dir, name) {
			made.delete(dir + name);
			try {
				await giveBack();
				await withoutOtherHolder(async () => (await directoryAt(dir)).removeEntry(name));
			} catch (failure) {
				if (/** @type {any} */ (failure)?.name !== "NotFoundError") throw failure;
			}
		},

		async removeTree(dir) {
			const parts = dir.split("/").filter(Boolean);
			const name = /** @type {string} */ (parts.pop());
			try {
				await giveBack();
				const parent = await directoryAt(parts.join("/"));
				await withoutOtherHolder(() => parent.removeEntry(name, { recursive: true }));
			} catch (failure) {
				if (/** @type {any} */ (failure)?.name !== "NotFoundError") throw failure;
			} finally {
				const gone = [...parts, name, ""].join("/");
				for (const path of directories.keys()) if (`${path}/`.startsWith(gone)) directories.delete(path);
				for (const path of made.keys()) if (path.startsWith(gone)) made.delete(path);
			}
		},

		async rename(dir, from, to) {
			await giveBack();
			const file = made.get(dir + from) ?? (await fileAt(dir, from, false));
			made.delete(dir + from);
			await withoutOtherHolder(() => file.move(to));
		},

		async modified(dir, name) {
			return (await (await fileAt(dir, name, false)).getFile()).lastModified;
		},

		probe: () => probing,
	};
}

/** @type {{dir: string | null, names: string[] | null, files: Map<string, Promise<SyncHandle>>}} */
const noneEarly = { dir: null, names: null, files: new Map() };

/** Go's directories end in a slash. @param {string} dir */
const trimmed = (dir) => dir.replace(/\/$/, "");

/** @param {FileSystemDirectoryHandle} directory */
async function filesIn(directory) {
	const names = [];
	for await (const [name, entry] of /** @type {any} */ (directory).entries()) {
		if (entry.kind === "file") names.push(name);
	}
	return names;
}

/** @param {FileSystemFileHandle} file */
const openHandle = (file) =>
	withoutOtherHolder(() => /** @type {FileHandle} */ (file).createSyncAccessHandle());

/**
 * Repeats an action while somebody else still holds the file.
 * @template T
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
async function withoutOtherHolder(action) {
	const until = Date.now() + RETRY_FOR_MS;
	for (;;) {
		try {
			return await action();
		} catch (failure) {
			const name = /** @type {any} */ (failure)?.name;
			if (name !== "NoModificationAllowedError" || Date.now() > until) throw failure;
			await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
		}
	}
}
