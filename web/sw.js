// The service worker stands between the browser and the server in the leading tab's worker. It
// decides what an address means (urls.js) and keeps the build's files for offline use (sw/store.js).
//
// - A tab that opens one of Kolibri's addresses gets the shell; the shell's frame that opens the
//   same address gets Kolibri's page from the server. `request.destination` tells them apart.
// - The shell served is always the one of this build, from its cache. Asking the network first
//   would put the next build's shell over this build's files after every deployment; the browser
//   looks for a new sw.js at each navigation by itself, and the new build then waits (shell.js).
// - It must be expected to be stopped between any two events: nothing in memory is relied on.

import { Connection } from "../worker/client.js";
import { player, refusal, toResponse } from "./sw/answers.js";
import { content } from "./sw/content.js";
import { deliver, forgetLeader, noteLeader, tabs } from "./sw/leader.js";
import { asset, cacheName, essentials, extras, fill, theShell, tidy } from "./sw/store.js";
import { classify, takeMark } from "./urls.js";

/** @type {any} */
const worker = self;
const build = __BUILD__;
const root = new URL(".", self.location.href);
const openCache = () => caches.open(cacheName(root, build.id));

/** @type {Connection | null} */
let connection = null;
const server = () => {
	connection ??= new Connection({ root, deliver, onCookies: tellCookies });
	return connection;
};

/** A worker cannot set a page's cookies: any page of this origin does it. @param {string[]} cookies */
async function tellCookies(cookies) {
	for (const tab of await tabs()) tab.postMessage({ t: "cookies", cookies });
}

// ---- life ----------------------------------------------------------------------------------------

worker.addEventListener("install", (/** @type {any} */ event) => {
	// The first visit waits for this: only the shell then, the rest when the page is there. A new
	// build behind a running one takes its time and comes whole, so that it works offline at once.
	const first = !worker.registration.active;
	const files = first ? theShell(build) : essentials(build);
	event.waitUntil(
		openCache()
			.then((cache) => fill(cache, root, files))
			.then((whole) => {
				if (!whole && !first) throw new Error("the new build could not be fetched whole");
			}),
	);
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
	event.waitUntil(tidy(root, build.id));
});

worker.addEventListener("message", (/** @type {any} */ event) => {
	const { data, source, ports } = event;
	if (data.t === "leader") noteLeader(source.id);
	else if (data.t === "not leader") forgetLeader(source.id);
	else if (data.t === "connect") event.waitUntil(deliver(ports[0]));
	else if (data.t === "claim") event.waitUntil(worker.clients.claim());
	else if (data.t === "activate") worker.skipWaiting();
	else if (data.t === "build") ports[0].postMessage(build.id);
	else if (data.t === "retire") retired.abort();
	else if (data.t === "fill") event.waitUntil(fillUp(source, data.what));
});

/** The next build waits for this worker to have nothing left to do. */
const retired = new AbortController();

/**
 * Brings the rest of the build in while a page is open. A browser that stops the service worker
 * amid it loses nothing: the shell asks again at the next start.
 * @param {any} tab is told how far it is
 * @param {"needed" | "viewers" | "all"} what
 */
async function fillUp(tab, what) {
	const cache = await openCache();
	const ready = await fill(cache, root, essentials(build), retired.signal);
	tab.postMessage({ t: "offline", ready });
	if (what === "needed") return;
	const languages = what === "all";
	const whole = await fill(cache, root, await extras(cache, root, languages), retired.signal);
	tab.postMessage({ t: "offline", ready, complete: whole && languages });
}

// ---- requests ------------------------------------------------------------------------------------

worker.addEventListener("fetch", (/** @type {any} */ event) => {
	const answer = route(event.request);
	if (answer) event.respondWith(answer);
});

/**
 * @param {Request} request
 * @returns {Promise<Response> | undefined} undefined lets the request pass to the network
 */
function route(request) {
	const { url, download, name } = takeMark(new URL(request.url));
	const kind = classify(url, root);
	if (kind === "outside" || kind === "script" || kind === "module") return undefined;
	if (kind === "asset") {
		return request.method === "GET" ? openCache().then((cache) => asset(request, cache)) : undefined;
	}
	// What the server itself asks of its origin is for the host of the build (a mirror of channels).
	if (request.referrer.startsWith(new URL("app/worker-", root).href)) return undefined;
	// Apps run in frames without address; here they would have the rights of Kolibri's pages.
	if (kind === "zipped") return Promise.resolve(refusal(404, "Not Found"));
	if (kind === "content") return content(request, url, root, download ? name : null);
	if (request.mode === "navigate") return navigate(request, url, kind, download ? name : null);
	return fromServer(request, url, { download: download ? name : null });
}

/**
 * @param {Request} request
 * @param {URL} url
 * @param {import("./urls.js").Kind} kind
 * @param {string | null} download
 */
async function navigate(request, url, kind, download) {
	// Other sites may link here, but not act here: sessions are kept by the server and not by the
	// browser, whose SameSite rules would have stopped this.
	if (request.method !== "GET") return refusal(405, "Only links lead here.");
	const inFrame = request.destination !== "document";
	if (inFrame && request.referrer && new URL(request.referrer).origin !== root.origin) {
		return refusal(403, "Kolibri cannot be shown inside another site.");
	}
	if (kind === "player") return inFrame ? player(root, build) : refusal(404, "Not Found");
	if (!inFrame && (kind === "page" || !(await tabs()).length)) return shell(request);
	const shim = new URL(build.shim, root);
	return fromServer(request, url, { shim: inFrame ? shim : undefined, download, cookies: true });
}

/** @param {Request} request */
async function shell(request) {
	const kept = await (await openCache()).match(root);
	if (!kept) return fetch(request);
	// The file's addresses are relative to the root, the page's address may be deeper.
	const html = (await kept.text()).replace(/<head>/i, `$&<base href="${root.pathname}">`);
	return new Response(html, { headers: { "Content-Type": "text/html; charset=utf-8" } });
}

/**
 * @param {Request} request
 * @param {URL} url
 * @param {{shim?: URL, download?: string | null, cookies?: boolean}} options
 */
async function fromServer(request, url, { shim, download, cookies }) {
	const hasBody = request.method !== "GET" && request.method !== "HEAD";
	try {
		const answer = await server().request({
			method: request.method,
			url: url.href,
			headers: [...request.headers],
			body: hasBody ? (request.body ?? new Uint8Array(await request.arrayBuffer())) : null,
			cookies,
			signal: request.signal,
		});
		return await toResponse(answer, url, { shim, download });
	} catch {
		return Response.error(); // the page gave up, or the answer broke off
	}
}
