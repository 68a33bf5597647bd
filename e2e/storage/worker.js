// A dedicated worker that runs one Go program: a package's tests or the writer of the kill test.

import "./wasm_exec.js";
// @ts-expect-error run.mjs serves it there
import { installOPFS } from "./opfs.js";

/** @type {any} */
const scope = globalThis;

/** What the program writes goes to the page; Go calls these instead of a terminal. */
const decoder = new TextDecoder();
scope.fs.writeSync = (/** @type {number} */ _fd, /** @type {Uint8Array} */ bytes) => {
	scope.postMessage({ output: decoder.decode(bytes, { stream: true }) });
	return bytes.length;
};
scope.process.cwd = () => "/";

/** Lets Go ask for what only the test driver can do, such as a smaller quota. */
let asked = 0;
/** @type {Map<number, (answer: any) => void>} */
const waiting = new Map();
scope.kolibriRunner = {
	/** @param {string} name @param {any} argument @returns {Promise<any>} */
	ask: (name, argument) =>
		new Promise((resolve) => {
			waiting.set(++asked, resolve);
			scope.postMessage({ ask: name, argument, id: asked });
		}),
};

/**
 * Bytes by which files may still grow; a test sets it to fill the disk at an exact byte.
 * @type {number}
 */
scope.kolibriRunner.space = Number.POSITIVE_INFINITY;

/** How often Go called the file system, by import. @type {Record<string, number>} */
scope.kolibriRunner.calls = { read: 0, write: 0, truncate: 0, flush: 0, size: 0 };

/**
 * Counts the calls of an import module.
 * @param {any} opfs
 */
function counted(opfs) {
	for (const [name, call] of Object.entries(opfs)) {
		opfs[name] = (/** @type {any[]} */ ...args) => {
			scope.kolibriRunner.calls[name]++;
			return call(...args);
		};
	}
}

/**
 * Writes as the browser does when the quota is used up: shorter than asked, or not at all.
 * @param {any} opfs the import module
 */
function fillable(opfs) {
	const write = opfs.write;
	/** @type {(h: number, ptr: number, n: number, at: number) => number} */
	opfs.write = (h, ptr, n, at) => {
		const growth = Math.max(0, at + n - opfs.size(h));
		const granted = Math.min(growth, scope.kolibriRunner.space);
		scope.kolibriRunner.space -= granted;
		const length = Math.max(0, n - growth + granted);
		return growth > 0 && length === 0 ? -2 : write(h, ptr, length, at);
	};
}

/** IndexedDB as it is when the quota is used up. */
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (value, key) {
	scope.kolibriRunner.space -= value.byteLength ?? 0;
	if (scope.kolibriRunner.space < 0) throw new DOMException("full", "QuotaExceededError");
	return put.call(this, value, key);
};

scope.onmessage = async (/** @type {MessageEvent} */ event) => {
	if (event.data.answerTo) {
		waiting.get(event.data.answerTo)?.(event.data.answer);
		waiting.delete(event.data.answerTo);
		return;
	}
	if (!event.data.wasm) return;
	const { wasm, args, env } = event.data;
	const go = new scope.Go();
	go.argv = ["program", ...args];
	go.env = env;
	let status = 2;
	go.exit = (/** @type {number} */ code) => {
		status = code;
	};
	// A program that ends inside of a callback leaves the JavaScript that called it without a program
	// to return to.
	scope.addEventListener("error", (/** @type {ErrorEvent} */ event) => {
		if (go.exited) event.preventDefault();
	});
	await installOPFS(go);
	fillable(go.importObject.opfs);
	counted(go.importObject.opfs);
	const { instance } = await WebAssembly.instantiateStreaming(fetch(wasm), go.importObject);
	try {
		await go.run(instance);
	} finally {
		scope.postMessage({ exit: status });
	}
};
