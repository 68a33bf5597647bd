// Stands between Kolibri's page and an app of unknown makers. This window is the app's (its origin is
// Kolibri's), so nothing of the app runs in it. The frame inside has an opaque origin: no storage, no
// service worker, no network (its policy refuses all), and a parent that it cannot look into. It gets
// the unpacked files of the one archive that is to be shown, and the messages that Kolibri's page and
// Kolibri's player exchange; nothing else crosses.

import { pathIn } from "../urls.js";
import { ZipError } from "../zip.js";
import { unpack } from "./unpack.js";

/** Kolibri's own names (packages/kolibri-sandbox/src/base.js). */
const NAMESPACE = "sandbox";
const MAIN_READY = "mainready";
const FAILED = "error";

/** The frame's policy: what Kolibri's server sends with zip content, without the server ('self'). */
const POLICY = "default-src 'unsafe-inline' 'unsafe-eval' data: blob:; form-action 'none'";

const ARCHIVE = /([0-9a-f]{32}\.[a-z0-9]+)(?:\/|$)/;

const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const root = new URL("..", script.src);
const inner = /** @type {string} */ (script.dataset.inner);

const frame = document.createElement("iframe");
frame.title = "App";
frame.allow = "fullscreen; autoplay";
frame.style.cssText = "position:absolute;inset:0;width:100%;height:100%;border:0";

/** The archive that was opened last; its files are in the frame. */
let opened = "";

async function start() {
	const code = await (await fetch(new URL(inner, root))).text();
	const page = `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"></head><body style="margin:0"><script>${code.replace(/<\/(script)/gi, "<\\/$1")}</script></body></html>`;
	// Not srcdoc: a document of a data: address has an origin of its own, and frames inside share it.
	frame.src = `data:text/html;charset=utf-8,${encodeURIComponent(page)}`;
	document.body.append(frame);
}

/** Kolibri's player: all files of the folders that it consists of. */
async function player() {
	const list = /** @type {string[]} */ (await (await fetch(new URL("data/files.json", root))).json());
	const own = list.filter((path) => /^static\/(?:sandbox|h5p|bloom)\//.test(path));
	const files = await Promise.all(
		own.map(async (path) => {
			const answer = await fetch(new URL(path, root));
			return /** @type {const} */ ([path.slice("static/".length), await answer.blob()]);
		}),
	);
	const page = location.pathname.slice(root.pathname.length).replace(/^content\/static\//, "");
	send({ t: "player", root: root.href, page, files: new Map(files) });
}

/**
 * Unpacks the archive that Kolibri's page wants shown.
 * @param {string} address of the archive or of a file in it
 */
async function open(address) {
	const url = new URL(address, root);
	const name = ARCHIVE.exec(pathIn(url, root) ?? "")?.[1];
	if (!name) throw new ZipError("there is no such file");
	if (name === opened) return;
	const before = url.pathname.slice(0, url.pathname.indexOf(name));
	const at = new URL(`content/storage/${name[0]}/${name[1]}/${name}${url.search}`, root);
	const answer = await fetch(at);
	if (!answer.ok) throw new ZipError("it is not on this device");
	const archive = await answer.blob();
	const files = await unpack(archive);
	send({ t: "app", folder: `${url.origin}${before}${name}/`, files });
	const zipcontent = new URL(`content/zipcontent/${name}/`, root).href;
	if (!url.href.startsWith(zipcontent)) {
		send({ t: "app", folder: zipcontent, files });
		send({ t: "app", folder: `${url.origin}${before}`, files: new Map([[name, archive]]) });
	}
	opened = name;
}

/** @param {object} message */
const send = (message) => frame.contentWindow?.postMessage(message, "*");

/** @param {any} message */
const tell = (message) => window.parent.postMessage(message, root.origin);

addEventListener("message", ({ source, origin, data }) => {
	if (source === frame.contentWindow) {
		if (data?.t === "inner") player().catch(refuse);
		else if (data?.nameSpace) tell(data);
	} else if (source === window.parent && origin === root.origin && data?.nameSpace) {
		if (data.nameSpace !== NAMESPACE || data.event !== MAIN_READY) send(data);
		else open(data.data.startUrl).then(() => send(data), refuse);
	}
});

/** @param {any} error */
function refuse(error) {
	const message = error instanceof ZipError ? `This app cannot be shown: ${error.message}.` : String(error);
	tell({ nameSpace: NAMESPACE, event: FAILED, data: { message, error: "LOADING_ERROR" } });
}

start().catch(refuse);
