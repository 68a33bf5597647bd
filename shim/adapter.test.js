import assert from "node:assert/strict";
import { before, test } from "node:test";
import { RequestAborted } from "../worker/client.js";
import { makeAdapter } from "./adapter.js";
import { findAxios } from "./axios.js";

const root = new URL("https://a.example/app/");
before(() => {
	/** @type {any} */ (globalThis).self ??= globalThis;
	/** @type {any} */ (self).location = new URL("en/learn/", root);
});

class AxiosError extends Error {
	/** @param {any} message @param {any} [code] @param {any} [config] @param {any} [request] @param {any} [response] */
	constructor(message, code, config, request, response) {
		super(message);
		Object.assign(this, { code, config, request, response, isAxiosError: true });
	}
}
class CanceledError extends AxiosError {
	/** @param {any} message @param {any} config */
	constructor(message, config) {
		super(message ?? "canceled", "ERR_CANCELED", config);
	}
}

/** What the adapter uses of Axios. */
const axios = {
	AxiosError,
	CanceledError,
	getUri: (/** @type {any} */ { url, params }) => url + (params ? `?${new URLSearchParams(params)}` : ""),
	getAdapter: () => async () => "by xhr",
};

/** @param {any} answer */
function adapterFor(answer) {
	/** @type {any[]} */
	const calls = [];
	const adapter = makeAdapter(
		axios,
		{
			request: async (/** @type {any} */ call) => {
				calls.push(call);
				return typeof answer === "function" ? answer(call) : answer;
			},
		},
		root,
	);
	return { adapter, calls };
}

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const ok = { status: 200, headers: [["Content-Type", "application/json"]], body: bytes('{"a":1}') };
const validateStatus = (/** @type {number} */ status) => status < 300;

test("a request goes out as Axios has prepared it", async () => {
	const { adapter, calls } = adapterFor(ok);
	const answer = await adapter({
		url: "/app/api/x/",
		params: { ids: "a,b" },
		method: "post",
		data: '{"q":"ü"}',
		headers: {
			toJSON: () => ({
				"Content-Type": "application/json",
				"X-Requested-With": "XMLHttpRequest",
				"X-None": undefined,
			}),
		},
		timeout: 1500,
		validateStatus,
	});
	const [{ method, url, headers, body, timeout }] = calls;
	assert.deepEqual(
		{ method, url, headers, body: new TextDecoder().decode(body), timeout },
		{
			method: "POST",
			url: "https://a.example/app/api/x/?ids=a%2Cb",
			headers: [
				["Content-Type", "application/json"],
				["X-Requested-With", "XMLHttpRequest"],
			],
			body: '{"q":"ü"}',
			timeout: 1500,
		},
	);
	assert.equal(answer.status, 200);
	assert.equal(answer.data, '{"a":1}', "Axios' own transformResponse makes JSON of it");
	assert.deepEqual(answer.headers, { "content-type": "application/json" });
});

test("a form becomes bytes with its boundary", async () => {
	const { adapter, calls } = adapterFor(ok);
	const form = new FormData();
	form.append("file", new Blob(["a,b\n"]), "users.csv");
	await adapter({
		url: "/app/api/x/",
		method: "post",
		data: form,
		headers: { "Content-Type": "multipart/form-data" },
	});
	const type = calls[0].headers.find((/** @type {string[]} */ [name]) => name === "Content-Type")[1];
	const boundary = /^multipart\/form-data; boundary=(.+)$/.exec(type)?.[1];
	assert.ok(boundary);
	const sent = new TextDecoder().decode(calls[0].body);
	assert.ok(sent.includes(boundary) && sent.includes("users.csv") && sent.includes("a,b\n"), sent);
});

test("a big file is streamed", async () => {
	const { adapter, calls } = adapterFor(ok);
	await adapter({ url: "/app/api/x/", method: "put", data: new Blob([new Uint8Array(1 << 20)]) });
	assert.ok(calls[0].body instanceof ReadableStream);
});

test("responseType blob, arraybuffer and text", async () => {
	const { adapter } = adapterFor({ ...ok, headers: [["Content-Type", "text/csv"]] });
	const get = (/** @type {string | undefined} */ responseType) =>
		adapter({ url: "/app/api/x/", responseType });
	const { data } = await get("blob");
	assert.equal(data.type, "text/csv");
	assert.equal(await data.text(), '{"a":1}');
	assert.equal(new TextDecoder().decode((await get("arraybuffer")).data), '{"a":1}');
	assert.equal((await get(undefined)).data, '{"a":1}');
});

test("what validateStatus refuses is an AxiosError with the response", async () => {
	for (const [status, code] of /** @type {const} */ ([
		[403, "ERR_BAD_REQUEST"],
		[503, "ERR_BAD_RESPONSE"],
	])) {
		const { adapter } = adapterFor({ ...ok, status });
		await assert.rejects(adapter({ url: "/app/api/x/", validateStatus }), (/** @type {any} */ error) => {
			assert.ok(error.isAxiosError);
			assert.equal(error.code, code);
			assert.equal(error.response.status, status);
			assert.equal(error.response.data, '{"a":1}');
			return true;
		});
		assert.equal((await adapter({ url: "/app/api/x/", validateStatus: null })).status, status);
	}
});

test("cancelling by signal and by cancelToken", async () => {
	const hanging = (/** @type {any} */ { signal }) =>
		new Promise((_, reject) => {
			const stop = () => reject(new RequestAborted("cancelled", "x"));
			if (signal.aborted) stop();
			signal.addEventListener("abort", stop);
		});
	const { adapter, calls } = adapterFor(hanging);
	const controller = new AbortController();
	const bySignal = adapter({ url: "/app/api/x/", signal: controller.signal });
	setTimeout(() => controller.abort(), 5);
	await assert.rejects(bySignal, { code: "ERR_CANCELED" });

	/** @type {Set<Function>} */
	const listeners = new Set();
	const cancelToken = {
		subscribe: (/** @type {any} */ l) => listeners.add(l),
		unsubscribe: (/** @type {any} */ l) => listeners.delete(l),
	};
	const byToken = adapter({ url: "/app/api/x/", cancelToken });
	const reason = new CanceledError("enough", {});
	setTimeout(() => {
		for (const l of listeners) l(reason);
	}, 5);
	await assert.rejects(byToken, (error) => error === reason);
	assert.equal(listeners.size, 0);

	const before = calls.length;
	await assert.rejects(adapter({ url: "/app/api/x/", signal: AbortSignal.abort() }), {
		code: "ERR_CANCELED",
	});
	assert.equal(calls.length, before, "nothing was sent");
});

test("a timeout is Axios' own", async () => {
	const { adapter } = adapterFor(async () => {
		throw new RequestAborted("timeout", "x");
	});
	await assert.rejects(adapter({ url: "/app/api/x/", timeout: 20 }), {
		code: "ECONNABORTED",
		message: "timeout of 20ms exceeded",
	});
});

test("progress and foreign addresses are left to the browser", async () => {
	const { adapter, calls } = adapterFor(ok);
	assert.equal(await adapter({ url: "/app/api/x/", onUploadProgress: () => {} }), "by xhr");
	assert.equal(await adapter({ url: "https://b.example/" }), "by xhr");
	assert.equal(calls.length, 0);
});

test("Axios is found by its shape, wherever it is exported", () => {
	const found = Object.assign(() => {}, { create: () => {}, defaults: {}, interceptors: {} });
	const decoy = Object.assign(() => {}, { create: () => {} });
	const modules = {
		1: () => "nothing of it",
		2: () => 'xsrfCookieName:"XSRF-TOKEN"', // mentions it, exports something else
		7: () => 'defaults = {xsrfCookieName:"XSRF-TOKEN"}',
	};
	/** @type {Record<string, any>} */
	const exported = { 2: { A: decoy }, 7: { Z: decoy, A: found } };
	const require = (/** @type {any} */ m) => Object.assign((/** @type {string} */ id) => exported[id], { m });
	assert.equal(findAxios(require(modules)), found);
	assert.equal(findAxios(require({ 1: modules[1], 2: modules[2] })), null);
});
