// Turns the server's answers into what the browser needs: redirects it follows, pages with the boot
// script in them, files to keep.

import { BODYLESS } from "../../worker/protocol.js";
import { appsFolder } from "../apps/origins.js";

/** @typedef {import("../../worker/client.js").Answer} Answer */

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * @param {Answer} answer
 * @param {URL} url what was asked for
 * @param {object} [options]
 * @param {URL} [options.shim] address of the boot script for pages, absent for other requests
 * @param {string | null} [options.download] the file shall be kept, under this name if any
 * @returns {Promise<Response>}
 */
export async function toResponse(answer, url, { shim, download = null } = {}) {
	const headers = new Headers();
	for (const [name, value] of answer.headers) headers.append(name, value);
	const location = headers.get("Location");
	if (REDIRECTS.has(answer.status) && location) {
		return Response.redirect(new URL(location, url).href, answer.status);
	}
	// Kolibri forbids all framing; here its pages live in the shell's frame.
	if (headers.get("X-Frame-Options") === "DENY") headers.set("X-Frame-Options", "SAMEORIGIN");
	const { status } = answer;
	if (BODYLESS.has(status)) return new Response(null, { status, headers });
	if (download !== null) keepAsFile(headers, download);
	let body = /** @type {BodyInit | null} */ (answer.body);
	if (shim && download === null && isPage(headers)) {
		body = injectScript(await new Response(body).text(), shim, answer.cookies ?? []);
		headers.delete("Content-Length");
	}
	return new Response(body, { status, headers });
}

/** @param {Headers} headers */
const isPage = (headers) =>
	/^text\/html\b/.test(headers.get("Content-Type") ?? "") &&
	!/^attachment\b/.test(headers.get("Content-Disposition") ?? "");

/** @param {Headers} headers @param {string} name */
export function keepAsFile(headers, name) {
	if (/^attachment\b/.test(headers.get("Content-Disposition") ?? "")) return;
	const named = name ? `; filename*=UTF-8''${encodeURIComponent(name)}` : "";
	headers.set("Content-Disposition", `attachment${named}`);
}

/**
 * Puts the boot script first in `<head>`. It is a file because Kolibri's content security policy
 * forbids scripts inside pages.
 * @param {string} html
 * @param {URL} shim
 * @param {string[]} cookies
 */
export function injectScript(html, shim, cookies) {
	const list = escapeAttribute(JSON.stringify(cookies));
	const tag = `<script src="${escapeAttribute(shim.href)}" data-cookies="${list}"></script>`;
	const head = /<head(?:\s[^>]*)?>/i.exec(html);
	if (!head) return html;
	const at = head.index + head[0].length;
	return html.slice(0, at) + tag + html.slice(at);
}

/** @param {string} text */
const escapeAttribute = (text) => text.replace(/[&"<>]/g, (c) => `&#${c.charCodeAt(0)};`);

/** What the player's own window may load. A frame of opaque origin inherits this and takes more away. @param {string} apps */
const playerPolicy = (apps) =>
	`default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-src data: blob: ${apps}; form-action 'none'`;

/**
 * The page around an app (web/apps/outer.js).
 * @param {URL} root
 * @param {import("../build.js").Build} build
 */
export function player(root, { apps, inner, appsOrigin }) {
	const there = appsFolder(appsOrigin, root);
	const origin = there ? ` data-origin="${escapeAttribute(there.href)}"` : "";
	const script = `<script src="${new URL(apps, root).href}" data-inner="${inner}"${origin}></script>`;
	const html = `<!doctype html><html><head><meta charset="utf-8"></head><body style="margin:0">${script}</body></html>`;
	const headers = {
		"Content-Type": "text/html; charset=utf-8",
		"Content-Security-Policy": playerPolicy(there?.origin ?? ""),
	};
	return new Response(html, { headers });
}

/** @param {number} status @param {string} text for people; plain */
export function refusal(status, text) {
	return new Response(text, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
