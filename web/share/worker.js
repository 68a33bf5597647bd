// Answers requests from outside: what comes through the relay goes to the server in the leading tab's
// worker, to the build's files or to the learning material. In a worker of its own, so that a busy page
// does not hold the visitors up.

import { Link } from "../../relay/js/link.js";
import { Connection } from "../../worker/client.js";
import { acceptLanguage } from "../../worker/protocol.js";
import { player } from "../sw/answers.js";
import { content, piece } from "../sw/content.js";
import { asset, cacheName } from "../sw/store.js";
import { classify, pathIn } from "../urls.js";
import { Traffic } from "./traffic.js";

/** @typedef {import("../../relay/js/stream.js").Asked} Asked */
/** @typedef {import("../../relay/js/stream.js").Answered} Answered */

/**
 * What the shell says, and what it is told.
 * @typedef {{t: "start", relay: string, code: string, known?: {session: string, key: string}} | {t: "stop"}} ToShare
 * @typedef {{t: "state", state: import("../../relay/js/link.js").LinkState}
 *   | {t: "port"}
 *   | {t: "traffic", traffic: import("./traffic.js").Report}} FromShare
 */

const build = __BUILD__;
const root = new URL("..", self.location.href);
const REPORT_MS = 1000;

/** @param {FromShare} message @param {Transferable[]} [transfer] */
const tell = (message, transfer = []) => self.postMessage(message, { transfer });

const server = new Connection({ root, deliver: (port) => tell({ t: "port" }, [port]) });
const traffic = new Traffic();
/** @type {Link | null} */
let link = null;

/** @param {Asked} asked @returns {Promise<Answered>} */
async function serve(asked) {
	traffic.begin(asked);
	const given = new URL(asked.url);
	const url = new URL(given.pathname + given.search, root);
	// a path that begins with two slashes would have become a host
	if (url.origin !== root.origin) return refusal(404);
	if (given.pathname === "/" && root.pathname !== "/") return redirect(root.pathname);
	switch (classify(url, root)) {
		case "asset":
			return isPublic(url) ? file(asked, url) : refusal(404);
		case "content":
			return learning(asked, url);
		case "player":
			// an origin for apps is this device's
			return fromResponse(player(new URL(root.pathname, given), { ...build, appsOrigin: "" }));
		case "page":
		case "server":
			return ask(asked, given);
		default:
			return refusal(404);
	}
}

/** The shell, its worker and its data are this device's own; a visitor gets Kolibri as from any server. @param {URL} url */
function isPublic(url) {
	const path = pathIn(url, root) ?? "";
	// Kolibri's own files, and what shows apps in archives (web/apps)
	return (
		path.startsWith("static/") || ["favicon.ico", "data/files.json", build.apps, build.inner].includes(path)
	);
}

/** @param {Response} response @returns {Answered} */
const fromResponse = ({ status, headers, body }) => ({ status, headers: [...headers], body });

/** @param {Asked} asked @param {URL} url as the visitor sees it @returns {Promise<Answered>} */
async function ask(asked, url) {
	const { method, headers, body, signal } = asked;
	const names = new Set(headers.map(([name]) => name.toLowerCase()));
	const language = ["Accept-Language", acceptLanguage(navigator.languages)];
	const all = names.has("accept-language")
		? headers
		: [...headers, /** @type {[string, string]} */ (language)];
	const from = asked.from || "[::]:0";
	return server.request({ method, url: url.href, headers: all, body, signal, from });
}

/** A file of the build, which never changes. @param {Asked} asked @param {URL} url @returns {Promise<Answered>} */
async function file(asked, url) {
	if (asked.method !== "GET" && asked.method !== "HEAD") return refusal(405);
	url.search = "";
	const cache = await caches.open(cacheName(root, build.id));
	const found = await asset(new Request(url), cache);
	if (found.status !== 200) return refusal(found.status === 404 ? 404 : 502);
	const body = await found.blob();
	const { size } = body;
	const answer = new Headers({
		"Content-Type": found.headers.get("Content-Type") ?? "application/octet-stream",
		"Content-Length": String(size),
		"Cache-Control": /\d+\.\d+\.\d+|[a-f0-9]{20}/.test(url.pathname)
			? "max-age=315360000, public, immutable"
			: "max-age=120, public",
		ETag: `"${build.id}-${size}"`,
		"X-Content-Type-Options": "nosniff",
	});
	const known = new Headers(asked.headers).get("If-None-Match");
	if (known === answer.get("ETag")) return { status: 304, headers: [...answer], body: null };
	return { status: 200, headers: [...answer], body: asked.method === "HEAD" ? null : body };
}

/** @param {Asked} asked @param {URL} url @returns {Promise<Answered>} */
async function learning({ method, headers, signal }, url) {
	if (method !== "GET" && method !== "HEAD") return refusal(405);
	const wanted = headers.filter(([name]) => /^(range|if-range|if-none-match)$/i.test(name));
	// not a Request: browsers let scripts set no Range there
	const request = /** @type {any} */ ({ method, url: url.href, headers: new Headers(wanted), signal });
	const own = await piece(request, url, root);
	if (own) return { ...own, headers: [...own.headers] };
	const answer = await content(request, url, root, null);
	if (answer.status >= 500 || answer.type === "error") return refusal(502);
	return {
		status: answer.status,
		headers: [...answer.headers],
		body: method === "HEAD" ? null : answer.body,
	};
}

/** @param {number} status @returns {Answered} */
const refusal = (status) => ({
	status,
	headers: [["Content-Type", "text/plain; charset=utf-8"]],
	body: new TextEncoder().encode(status === 404 ? "Not Found" : "It could not be had."),
});

/** @param {string} to @returns {Answered} */
const redirect = (to) => ({ status: 302, headers: [["Location", to]], body: null });

/** Tells Kolibris apart: a relay must not mix the data of two. */
async function home() {
	const url = new URL("api/public/info/", root).href;
	const { body } = await server.request({ method: "GET", url });
	const info = await new Response(/** @type {BodyInit} */ (body)).json();
	return {
		home: String(info.instance_id ?? ""),
		name: String(info.device_name ?? "").replace(/[^ -~]|[",;\\]/g, ""),
	};
}

/** @param {Extract<ToShare, {t: "start"}>} message */
async function start({ relay, code, known }) {
	const { home: id, name } = await home();
	link?.stop();
	link = new Link({
		relay,
		code,
		known,
		about: { kind: "kolibri", home: id, prefix: root.pathname, name: name.slice(0, 100) },
		serve,
		onState: (state) => tell({ t: "state", state }),
		onDone: (stream, asked) => traffic.end(stream, asked),
	});
	link.start();
}

self.onmessage = async ({ data }) => {
	try {
		if (data.t === "start") await start(data);
		else if (data.t === "stop") link?.stop();
	} catch (error) {
		tell({ t: "state", state: { state: "ended", code: 0, message: String(error) } });
	}
};

setInterval(() => {
	if (traffic.changed) tell({ t: "traffic", traffic: traffic.report() });
}, REPORT_MS);
