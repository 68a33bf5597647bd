// Where the cookie jar outlives the worker: one record in IndexedDB, beside Kolibri's tables and
// not in them, so that a reload, a kill or a restart of the browser leaves people signed in.

import { scoped } from "./protocol.js";

const STORE = "records";
const KEY = "cookies";

/** @param {URL} root @returns {Promise<IDBDatabase>} */
function open(root) {
	return new Promise((resolve, reject) => {
		const request = indexedDB.open(scoped(root, "bridge"), 1);
		request.onupgradeneeded = () => request.result.createObjectStore(STORE);
		request.onsuccess = () => resolve(request.result);
		request.onerror = () => reject(request.error);
		request.onblocked = () => reject(new Error("blocked"));
	});
}

/**
 * @param {URL} root
 * @param {import("./jar.js").CookieJar} jar filled from what was saved
 * @returns {Promise<() => Promise<void>>} saves the jar. Without IndexedDB nothing is kept, and
 *     people sign in anew after a restart
 */
export async function keepJar(root, jar) {
	const database = await open(root).catch(() => null);
	if (!database) return async () => {};
	jar.load(
		await new Promise((resolve) => {
			const request = database.transaction(STORE).objectStore(STORE).get(KEY);
			request.onsuccess = () => resolve(request.result);
			request.onerror = () => resolve(undefined);
		}),
	);
	return () =>
		new Promise((resolve) => {
			const transaction = database.transaction(STORE, "readwrite");
			transaction.objectStore(STORE).put(jar.dump(), KEY);
			transaction.oncomplete = () => resolve();
			transaction.onabort = transaction.onerror = () => resolve();
		});
}
