// What stands around an app's module in its worker: requests in, answers out, the key-value store, and
// the limit of memory. The app shares these globals and may spoil them, for itself alone.

/** @type {MessagePort} */
let port;
/** @type {Map<number, AbortController>} */
const running = new Map();
/** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
const wishes = new Map();
let nextWish = 1;
/** @type {any} kept before the app can replace it */
const post = MessagePort.prototype.postMessage;
const NativeResponse = Response;
/** What browsers leave out of a Response: its cookies. @type {WeakMap<Response, string[]>} */
const cookies = new WeakMap();

/** Refuses buffers beyond the limit. What the engine's own heap may hold is the browser's to limit. @param {number} limit bytes */
function limitMemory(limit) {
	let used = 0;
	const freed = new FinalizationRegistry((/** @type {number} */ bytes) => {
		used -= bytes;
	});
	const guard = (/** @type {any} */ native, /** @type {(args: any[]) => number} */ bytesOf) => {
		/** @type {any} */
		const guarded = new Proxy(native, {
			/** @returns {any} */
			construct(target, args, newTarget) {
				const bytes = bytesOf(args);
				if (used + bytes > limit) throw new RangeError(`an app may hold ${limit} bytes`);
				/** @type {any} */
				const made = Reflect.construct(target, args, newTarget === guarded ? target : newTarget);
				if (bytes > 1024) {
					used += bytes;
					freed.register(made, bytes);
				}
				return made;
			},
		});
		native.prototype.constructor = guarded;
		return guarded;
	};
	const number = (/** @type {unknown} */ x) => (typeof x === "object" ? 0 : Number(x) || 0);
	const most = (/** @type {any} */ options) => number(options?.maxByteLength);
	const all = /** @type {any} */ (globalThis);
	for (const name of ["ArrayBuffer", "SharedArrayBuffer"]) {
		if (all[name]) all[name] = guard(all[name], ([size, options]) => Math.max(number(size), most(options)));
	}
	for (const name of Object.getOwnPropertyNames(all)) {
		if (!/^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(name)) continue;
		const size = all[name].BYTES_PER_ELEMENT;
		const length = (/** @type {any} */ x) =>
			typeof x === "object" ? (x instanceof ArrayBuffer ? 0 : number(x?.length)) : number(x);
		all[name] = guard(all[name], ([first]) => size * length(first));
	}
	const PAGE = 65536;
	WebAssembly.Memory = guard(
		WebAssembly.Memory,
		([options]) => PAGE * number(options?.maximum ?? options?.initial),
	);
}

globalThis.Response = new Proxy(NativeResponse, {
	construct(target, [body, init]) {
		const response = new target(body, init);
		if (init?.headers) cookies.set(response, new Headers(init.headers).getSetCookie());
		return response;
	},
});

/** @param {object} wish */
function ask(wish) {
	const id = nextWish++;
	return new Promise((resolve, reject) => {
		wishes.set(id, { resolve, reject });
		post.call(port, { t: "store", id, wish });
	});
}

/** Values are bytes; text is written as UTF-8, everything else as JSON. @param {unknown} value */
function toBytes(value) {
	if (value instanceof ArrayBuffer) return new Uint8Array(value);
	if (ArrayBuffer.isView(value))
		return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
	return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
}

const kv = Object.freeze({
	/** @param {string} key */
	async get(key) {
		const found = await ask({ op: "get", key });
		if (!found) return null;
		const text = () => new TextDecoder().decode(found.value);
		return { ...found, text, json: () => JSON.parse(text()) };
	},
	/** @param {string} key @param {unknown} value @param {{version?: number, ttl?: number}} [options] */
	put: (key, value, { version, ttl } = {}) => ask({ op: "put", key, value: toBytes(value), version, ttl }),
	/** @param {string} key @param {{version?: number}} [options] */
	delete: (key, { version } = {}) => ask({ op: "delete", key, version }),
	/** @param {{prefix?: string, after?: string, limit?: number}} [options] */
	list: ({ prefix, after, limit } = {}) => ask({ op: "list", prefix, after, limit }),
});

/** @param {any} message @param {AbortSignal} signal */
function toRequest({ method, url, headers, body }, signal) {
	const bodyless = method === "GET" || method === "HEAD";
	const init = { method, body: bodyless ? null : body, signal, duplex: "half" };
	const request = new Request(url, /** @type {RequestInit} */ (init));
	// a Request leaves out what scripts may not send; here they are what came
	const all = new Headers(headers.filter((/** @type {string[]} */ [name]) => !/^(proxy|sec)-/i.test(name)));
	Object.defineProperty(request, "headers", { value: all });
	return request;
}

/** A short body goes in one message. @param {ReadableStream<Uint8Array> | null} stream */
async function bodyOf(stream) {
	if (!stream) return { body: null, transfer: [] };
	const reader = stream.getReader();
	const first = await reader.read();
	if (first.done) return { body: null, transfer: [] };
	const soon = new Promise((go) => setTimeout(go, 0, null));
	const following = reader.read();
	const second = await Promise.race([following, soon]);
	if (second?.done) return { body: first.value, transfer: [] };
	const rest = new ReadableStream(
		{
			async start(controller) {
				controller.enqueue(first.value);
				const { value, done } = await following;
				if (done) controller.close();
				else controller.enqueue(value);
			},
			async pull(controller) {
				const { value, done } = await reader.read();
				if (done) controller.close();
				else controller.enqueue(value);
			},
			cancel: (reason) => reader.cancel(reason),
		},
		{ highWaterMark: 0 },
	);
	return { body: rest, transfer: [rest] };
}

/** @param {Promise<{default: (request: Request, tools: object) => Promise<Response>}>} module @param {any} message */
async function answer(module, message) {
	const { id } = message;
	const abort = new AbortController();
	running.set(id, abort);
	try {
		const { default: handle } = await module;
		if (typeof handle !== "function") throw new TypeError("the module exports no default function");
		const response = await handle(toRequest(message, abort.signal), { kv });
		if (!(response instanceof NativeResponse)) throw new TypeError("the handler returned no Response");
		const headers = [...response.headers, ...(cookies.get(response) ?? []).map((c) => ["Set-Cookie", c])];
		const { body, transfer } = await bodyOf(response.body);
		post.call(port, { t: "answer", id, status: response.status || 502, headers, body }, transfer);
	} catch (error) {
		post.call(port, { t: "error", id, message: String(error) });
	}
	running.delete(id);
}

const begin = (/** @type {MessageEvent} */ { data, ports }) => {
	[port] = ports;
	limitMemory(data.memory);
	const module = import(data.code);
	module.catch((error) => post.call(port, { t: "failed", message: String(error) }));
	port.onmessage = ({ data: message }) => {
		if (message.t === "request") answer(module, message);
		else if (message.t === "cancel") running.get(message.id)?.abort();
		else if (message.t === "stored") {
			const wish = wishes.get(message.id);
			wishes.delete(message.id);
			if (message.error)
				wish?.reject(Object.assign(new Error(message.error.message), { name: message.error.name }));
			else wish?.resolve(message.result);
		}
	};
};
addEventListener("message", begin, { once: true });
