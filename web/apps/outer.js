// Stands between Kolibri's page and an app of unknown makers. This window is the app's (its origin is
// Kolibri's), so nothing of the app runs in it. The frame inside is of another origin: one that the host
// of the build has set up for apps (second.js), or else an opaque one (opaque.js). It gets the unpacked
// files of the one archive that is to be shown, and the messages that Kolibri's page and Kolibri's player
// exchange; nothing else crosses.

import { pathIn } from "../urls.js";
import { ZipError } from "../zip.js";
import { Opaque } from "./opaque.js";
import { Second } from "./second.js";
import { unpack } from "./unpack.js";

/** Kolibri's own names (packages/kolibri-sandbox/src/base.js). */
const NAMESPACE = "sandbox";
const MAIN_READY = "mainready";
const FAILED = "error";

const ARCHIVE = /([0-9a-f]{32}\.[a-z0-9]+)(?:\/|$)/;

/** @typedef {{name: string, blob: Blob, files: Map<string, Blob>}} Archive */

const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const root = new URL("..", script.src);
const { inner = "", origin: appsRoot = "" } = script.dataset;
const page = location.pathname.slice(root.pathname.length).replace(/^content\/static\//, "");

const frame = document.createElement("iframe");
frame.title = "App";
frame.allow = "fullscreen; autoplay";
frame.style.cssText = "position:absolute;inset:0;width:100%;height:100%;border:0";

/** @type {Opaque | Second} */
let place = appsRoot
	? new Second(frame, { root, at: new URL(appsRoot), page })
	: new Opaque(frame, { root, inner, page });
/** The archive that was opened last; its files are in the frame. @type {{name: string, at: string} | null} */
let opened = null;

async function start() {
	document.body.append(frame);
	try {
		await place.start();
	} catch (error) {
		// The other origin does not answer: offline at the first time, or set up wrongly.
		if (place instanceof Opaque) throw error;
		console.warn(`Apps are shown without their own origin: ${error}`);
		place = new Opaque(frame, { root, inner, page });
		await place.start();
	}
}

/**
 * Opens the archive that Kolibri's page wants shown.
 * @param {string} address of the archive or of a file in it
 * @returns {Promise<string>} where the player finds it
 */
async function open(address) {
	const start = new URL(address, root);
	const name = ARCHIVE.exec(pathIn(start, root) ?? "")?.[1];
	if (!name) throw new ZipError("there is no such file");
	if (opened?.name === name) return opened.at;
	const at = new URL(`content/storage/${name[0]}/${name[1]}/${name}${start.search}`, root);
	const answer = await fetch(at);
	if (!answer.ok) throw new ZipError("it is not on this device");
	const blob = await answer.blob();
	opened = { name, at: await place.open({ name, blob, files: await unpack(blob) }, start) };
	return opened.at;
}

/** @param {any} message */
const tell = (message) => window.parent.postMessage(message, root.origin);

addEventListener("message", ({ source, origin, data }) => {
	if (source === frame.contentWindow) {
		if (data?.nameSpace) tell(data);
		else place.hear(data).catch(refuse);
	} else if (source === window.parent && origin === root.origin && data?.nameSpace) {
		if (data.nameSpace !== NAMESPACE || data.event !== MAIN_READY) place.send(data);
		else {
			open(data.data.startUrl).then(
				(startUrl) => place.send({ ...data, data: { ...data.data, startUrl } }),
				refuse,
			);
		}
	}
});

/** @param {any} error */
function refuse(error) {
	const message = error instanceof ZipError ? `This app cannot be shown: ${error.message}.` : String(error);
	tell({ nameSpace: NAMESPACE, event: FAILED, data: { message, error: "LOADING_ERROR" } });
}

start().catch(refuse);
