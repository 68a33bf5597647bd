// Runs in the opaque frame, next to the untrusted app: Kolibri's own player (static/sandbox), unchanged,
// on the files that outer.js gives. All that this window can reach is what it was given.

import { Files } from "./files.js";
import { Realm } from "./realm.js";

/**
 * @typedef {{t: "player", root: string, page: string, files: Map<string, Blob>}} Player `page`: path of the player's page
 * @typedef {{t: "app", folder: string, files: Map<string, Blob>}} App
 */

const files = new Files();

/** @param {Player} player */
function play({ root, page, files: own }) {
	files.add(own, `${root}content/static/`);
	const address = `${root}content/static/${page}`;
	new Realm(files).enter(window, address);
	const parsed = new DOMParser().parseFromString(readPage(address), "text/html");
	for (const { src } of [...parsed.scripts].map((s) => ({ src: s.getAttribute("src") ?? "" }))) {
		const script = document.createElement("script");
		script.src = src;
		document.head.append(script);
	}
}

/** @param {string} address */
function readPage(address) {
	const request = new XMLHttpRequest();
	request.open("GET", address, false);
	request.send();
	return request.responseText;
}

addEventListener("message", (event) => {
	if (event.source !== window.parent) return;
	const { t } = event.data ?? {};
	if (t !== "player" && t !== "app") return;
	// Not for the player's own ears.
	event.stopImmediatePropagation();
	if (t === "player") play(event.data);
	else files.add(event.data.files, event.data.folder);
});
window.parent.postMessage({ t: "inner" }, "*");
