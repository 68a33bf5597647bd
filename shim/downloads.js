// `<a download>` passes the service worker by in Chromium: the request would reach the static host,
// which knows nothing of it. So such a click opens the address, marked, in a hidden frame: that is a
// navigation, the service worker sees it and answers with a file to keep.

import { addMark } from "../web/urls.js";

/** Long enough for any answer to begin; afterwards the browser has taken the file over. */
const KEEP_FRAME_MS = 120_000;

/** @param {URL} root */
export function catchDownloads(root) {
	document.addEventListener(
		"click",
		(event) => {
			const link = /** @type {Element} */ (event.target)?.closest?.("a[download]");
			if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented) return;
			const url = new URL(link.href, document.baseURI);
			if (url.origin !== root.origin || !/^https?:$/.test(url.protocol)) return;
			event.preventDefault();
			openHidden(addMark(url, link.download));
		},
		true,
	);
}

/** @param {URL} url */
function openHidden(url) {
	const frame = document.createElement("iframe");
	frame.hidden = true;
	frame.title = "Download";
	frame.src = url.href;
	document.body.append(frame);
	setTimeout(() => frame.remove(), KEEP_FRAME_MS);
}
