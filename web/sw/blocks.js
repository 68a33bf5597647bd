// Content files in a browser without a private file system: store/idb keeps them in IndexedDB, in
// blocks. Only read here; the server's worker writes them.

const NAME = "kolibri-files";
const BLOCK = 64 << 10;
/** What is read at once of a file: 2 MiB. */
const AT_ONCE = 32;

/**
 * A stored file, as far as it is served: its size, and stretches of its bytes.
 * @typedef {object} Stored
 * @property {number} size
 * @property {(from: number, to: number) => Blob | ReadableStream<Uint8Array>} slice
 */

/** @param {IDBRequest} request @returns {Promise<any>} */
const result = (request) =>
	new Promise((resolve, reject) => {
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
	});

/** @returns {Promise<IDBDatabase | null>} null when there is none: looking must not make one */
async function open() {
	const request = indexedDB.open(NAME);
	request.onupgradeneeded = () => request.transaction?.abort();
	return result(request).catch(() => null);
}

/** @param {string} path @returns {Promise<Stored | null>} */
export async function storedInBlocks(path) {
	const database = await open();
	if (!database) return null;
	const record = await result(database.transaction("files").objectStore("files").get(path));
	database.close();
	if (!record) return null;
	return { size: record.size, slice: (from, to) => stream(record.id, from, to) };
}

/**
 * @param {number} id
 * @param {number} from
 * @param {number} to
 */
function stream(id, from, to) {
	let at = from;
	/** @type {IDBDatabase | null} */
	let database = null;
	return new ReadableStream({
		async pull(controller) {
			if (at >= to) {
				database?.close();
				controller.close();
				return;
			}
			database ??= await open();
			if (!database) throw new Error("the files were removed");
			const first = Math.floor(at / BLOCK);
			const last = Math.min(first + AT_ONCE, Math.ceil(to / BLOCK)) - 1;
			const range = IDBKeyRange.bound([id, first], [id, last]);
			const store = database.transaction("blocks").objectStore("blocks");
			/** @type {Uint8Array[]} */
			const blocks = await result(store.getAll(range));
			if (blocks.length !== last - first + 1) throw new Error("the file was removed");
			for (const [n, block] of blocks.entries()) {
				const start = (first + n) * BLOCK;
				controller.enqueue(block.subarray(Math.max(at - start, 0), Math.min(to - start, BLOCK)));
			}
			at = (last + 1) * BLOCK;
		},
		cancel() {
			database?.close();
		},
	});
}
