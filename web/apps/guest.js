// The page on the apps' origin (content/apps.html): it takes the files of the archive that Kolibri's page
// wants shown, and passes the messages of Kolibri's player on. The app in its frame has the same origin as this
// page, so nothing here is a secret of anybody else: what this page may do, the app may do as well.

import { isForApps } from "./origins.js";
import { forgetOthers, keep } from "./shelf.js";

const folder = new URL(".", location.href); // content/
const host = window.parent;
/** That of Kolibri's page, known from its first message. */
let hostOrigin = "";

const frame = document.createElement("iframe");
frame.title = "App";
frame.allow = "fullscreen; autoplay";
frame.style.cssText = "position:absolute;inset:0;width:100%;height:100%;border:0";

/** @param {object} message */
const tell = (message) => host.postMessage(message, hostOrigin);

/** What pages of the app may ask of this one (shelf.js). */
/** @type {any} */ (window).kolibriApp = {
	/** @param {URL} url @returns {string | null} another address of a file of the app */
	link(url) {
		const path = decodeURIComponent(url.href.split(/[?#]/)[0].slice(folder.href.length));
		const [, name, file] = /^zipcontent\/([^/]+)\/(.+)$/.exec(path) ?? [];
		const blob = name === shown.name ? shown.files.get(file) : undefined;
		return blob ? URL.createObjectURL(blob) : null;
	},
};
let shown = { name: "", files: /** @type {Map<string, Blob>} */ (new Map()) };

/** A page is served by a service worker only when that has become active. */
async function awake() {
	const registration = await navigator.serviceWorker.register("sw.js", { updateViaCache: "none" });
	const worker = registration.installing ?? registration.waiting;
	if (registration.active || !worker) return;
	await new Promise((resolve, reject) => {
		worker.addEventListener("statechange", () => {
			if (worker.state === "activated") resolve(null);
			if (worker.state === "redundant") reject(new Error("the service worker did not start"));
		});
	});
}

/** @param {{name: string, files: Map<string, Blob>, archive: {path: string, blob: Blob} | null}} app */
async function take({ name, files, archive }) {
	// while this page lives, others leave this archive alone
	await new Promise((resolve) => {
		navigator.locks.request(`app ${name}`, { mode: "shared" }, () => {
			resolve(null);
			return new Promise(() => {});
		});
	});
	shown = { name, files };
	await forgetOthers(folder, name);
	await keep(folder, name, files);
	if (archive) await keep(new URL("..", folder), null, new Map([[archive.path, archive.blob]]));
	tell({ t: "kept" });
}

/** @param {unknown} error */
const fail = (error) => tell({ t: "failed", message: String(error) });

addEventListener("message", ({ source, origin, data }) => {
	if (source === host && isForApps(__BUILD__.appsOrigin, new URL(origin), folder)) {
		hostOrigin = origin;
		if (data?.t === "hello") awake().then(() => tell({ t: "ready" }), fail);
		else if (data?.t === "player") {
			frame.src = new URL(`static/${data.page}`, folder).href;
			document.body.append(frame);
		} else if (data?.t === "app") take(data).catch(fail);
		else if (data?.nameSpace) frame.contentWindow?.postMessage(data, folder.origin);
	} else if (source === frame.contentWindow && data?.nameSpace) tell(data);
});
