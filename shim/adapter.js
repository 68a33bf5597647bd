// An Axios adapter that sends requests to the server in the worker. Its duties are those of Axios'
// own: build the address, turn the body into bytes, honour responseType, timeout and cancelling,
// and reject what validateStatus refuses with an AxiosError that has the response.

import { pathIn } from "../web/urls.js";
import { RequestAborted } from "../worker/client.js";

/** Bodies up to this size go in one message. */
const WHOLE = 256 * 1024;

/**
 * @param {any} axios
 * @param {Pick<import("../worker/client.js").Connection, "request">} server
 * @param {URL} root
 * @returns {(config: any) => Promise<any>}
 */
export function makeAdapter(axios, server, root) {
	return async function workerAdapter(config) {
		const url = new URL(axios.getUri(config), self.location.href);
		// Progress events and other origins are the browser's business; the service worker sees them.
		if (config.onUploadProgress || config.onDownloadProgress || pathIn(url, root) === null) {
			return axios.getAdapter("xhr")(config);
		}
		const abort = abortOf(config);
		try {
			abort.check();
			const { body, contentType } = await bodyOf(config.data);
			const answer = await server.request({
				method: (config.method ?? "get").toUpperCase(),
				url: url.href,
				headers: headersOf(config, contentType),
				body,
				timeout: config.timeout || undefined,
				signal: abort.signal,
			});
			return settle(axios, config, await toAxios(answer, config));
		} catch (error) {
			if (!(error instanceof RequestAborted)) throw error;
			throw toAxiosError(axios, config, error, abort);
		} finally {
			abort.release();
		}
	};
}

/**
 * Axios has two ways to cancel, cancelToken and signal.
 * @param {any} config
 */
function abortOf(config) {
	const controller = new AbortController();
	const state = { reason: /** @type {any} */ (null), signal: controller.signal };
	const cancel = (/** @type {any} */ reason) => {
		state.reason = reason;
		controller.abort();
	};
	const onSignal = () => cancel(null);
	config.cancelToken?.subscribe(cancel);
	if (config.signal?.aborted) onSignal();
	else config.signal?.addEventListener("abort", onSignal);
	return Object.assign(state, {
		check: () => {
			if (controller.signal.aborted) throw new RequestAborted("cancelled", "cancelled");
		},
		release: () => {
			config.cancelToken?.unsubscribe(cancel);
			config.signal?.removeEventListener("abort", onSignal);
		},
	});
}

/**
 * @param {any} data what Axios' transformRequest has left
 * @returns {Promise<{body: Uint8Array | ReadableStream<Uint8Array> | null, contentType: string | null}>}
 */
async function bodyOf(data) {
	if (data === undefined || data === null) return { body: null, contentType: null };
	if (typeof data === "string") return { body: new TextEncoder().encode(data), contentType: null };
	// A Request knows how to turn anything into bytes, multipart boundary included.
	const request = new Request(self.location.href, { method: "POST", body: data });
	const contentType = request.headers.get("Content-Type");
	const blob = await request.blob();
	if (blob.size > WHOLE) return { body: blob.stream(), contentType };
	return { body: new Uint8Array(await blob.arrayBuffer()), contentType };
}

/** @param {any} config @param {string | null} contentType */
function headersOf(config, contentType) {
	/** @type {Record<string, any>} */
	const all = config.headers?.toJSON?.() ?? config.headers ?? {};
	/** @type {[string, string][]} */
	const list = [];
	for (const [name, value] of Object.entries(all)) {
		const isType = name.toLowerCase() === "content-type";
		if (value === null || value === undefined || value === false) continue;
		if (isType && (contentType?.startsWith("multipart/") || config.data === undefined)) continue;
		list.push([name, String(value)]);
	}
	const typed = list.some(([name]) => name.toLowerCase() === "content-type");
	if (contentType && !typed) list.push(["Content-Type", contentType]);
	return list;
}

/**
 * @param {import("../worker/client.js").Answer} answer
 * @param {any} config
 */
async function toAxios(answer, config) {
	/** @type {Record<string, string>} */
	const headers = {};
	for (const [name, value] of answer.headers) {
		const key = name.toLowerCase();
		headers[key] = key in headers ? `${headers[key]}, ${value}` : value;
	}
	const { status } = answer;
	const request = { status, responseURL: "" };
	const data = await dataOf(answer, headers["content-type"] ?? "", config.responseType);
	return { data, status, statusText: "", headers, config, request };
}

/**
 * @param {import("../worker/client.js").Answer} answer
 * @param {string} type
 * @param {string | undefined} responseType
 */
async function dataOf({ body }, type, responseType) {
	if (responseType === "stream") return body;
	// The usual case, without the browser's way round through a Response.
	if (body instanceof Uint8Array && (!responseType || responseType === "json" || responseType === "text")) {
		return new TextDecoder().decode(body);
	}
	const response = new Response(/** @type {BodyInit | null} */ (body), {
		headers: type ? { "Content-Type": type } : {},
	});
	if (responseType === "arraybuffer") return response.arrayBuffer();
	if (responseType === "blob") return response.blob();
	const text = await response.text();
	if (responseType !== "document") return text; // Axios' transformResponse makes JSON of it
	return new DOMParser().parseFromString(
		text,
		type.startsWith("text/html") ? "text/html" : "application/xml",
	);
}

/** @param {any} axios @param {any} config @param {any} response */
function settle(axios, config, response) {
	const { status } = response;
	if (!status || !config.validateStatus || config.validateStatus(status)) return response;
	const code = status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE";
	throw new axios.AxiosError(
		`Request failed with status code ${status}`,
		code,
		config,
		response.request,
		response,
	);
}

/** @param {any} axios @param {any} config @param {RequestAborted} error @param {{reason: any}} abort */
function toAxiosError(axios, config, error, abort) {
	const { AxiosError, CanceledError } = axios;
	if (error.code === "timeout") {
		const text = config.timeoutErrorMessage || `timeout of ${config.timeout}ms exceeded`;
		return new AxiosError(text, "ECONNABORTED", config);
	}
	if (error.code === "cancelled") {
		return abort.reason?.message !== undefined ? abort.reason : new CanceledError(undefined, config);
	}
	return new AxiosError(error.message, "ERR_NETWORK", config);
}
