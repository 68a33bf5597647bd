// Makes a document of an app's page that loads nothing but `blob:` addresses.

import { text } from "./files.js";
import { relocate, remodule, resource, restyle } from "./markup.js";
import { INITIALIZE } from "./shelf.js";

/** The attributes that load something, and of which elements. */
const LOADS = /** @type {Record<string, string>} */ ({
	src: "img, audio, video, source, track, embed, input, script",
	poster: "video",
	data: "object",
	background: "body, table, td, th",
	href: "link, image, use, feImage",
	"xlink:href": "image, use, feImage, script",
});

/** Frames in frames; a page may hold itself. */
const DEEPEST = 6;

/**
 * @param {import("./files.js").Files} files
 * @param {{url: URL, key: string, blob: Blob}} file
 * @param {number} [depth]
 * @returns {string} HTML for a `srcdoc`
 */
export function page(files, { url, key, blob }, depth = 0) {
	const parsed = new DOMParser().parseFromString(text(blob), "text/html");
	const base = baseOf(parsed, url);
	const link = (/** @type {string} */ a) => files.link(a, base);
	let modules = false;
	for (const script of parsed.querySelectorAll("script[type=module]")) {
		modules = true;
		const src = script.getAttribute("src");
		const to = src && files.link(src, base, true);
		if (to) keep(script, "src", to);
		else if (!src) {
			script.textContent = remodule(script.textContent ?? "", base, (a) => files.find(a, base)?.key ?? null);
		}
	}
	for (const [name, elements] of Object.entries(LOADS)) {
		for (const element of parsed.querySelectorAll(elements)) {
			const value = element.getAttribute(name);
			const to = value && element.getAttribute("type") !== "module" ? link(value) : null;
			if (to) keep(element, name, to);
		}
	}
	for (const element of parsed.querySelectorAll("[integrity], [crossorigin]")) {
		element.removeAttribute("integrity");
		element.removeAttribute("crossorigin");
	}
	for (const element of parsed.querySelectorAll("[srcset]"))
		element.setAttribute("srcset", resource(element.getAttribute("srcset") ?? "", link));
	for (const element of parsed.querySelectorAll("[style]"))
		element.setAttribute("style", restyle(element.getAttribute("style") ?? "", link));
	for (const script of parsed.querySelectorAll("script:not([src]):not([type=module])"))
		script.textContent = relocate(script.textContent ?? "");
	for (const style of parsed.querySelectorAll("style"))
		style.textContent = restyle(style.textContent ?? "", link);
	for (const frame of parsed.querySelectorAll("iframe[src], frame[src]")) {
		const found = files.find(frame.getAttribute("src") ?? "", base);
		if (!found || !/html/.test(found.blob.type)) continue;
		keep(frame, "src", "about:blank");
		if (depth < DEEPEST) frame.setAttribute("srcdoc", page(files, found, depth + 1));
	}
	const scripts = [
		`window.parent.kolibriRealm.enter(window, ${JSON.stringify(url.href)}, ${JSON.stringify(base)})`,
	];
	if (key.includes("/zipcontent/")) scripts.push(INITIALIZE);
	const first = scripts.map((code) => insert(parsed, "script", code.replaceAll("<", "\\u003c")));
	if (modules)
		first.push(insert(parsed, "script", JSON.stringify({ imports: files.modules() }), "importmap"));
	const own = insert(parsed, "base");
	own.setAttribute("href", base);
	parsed.head.prepend(own, ...first);
	return (parsed.doctype ? "<!doctype html>" : "") + parsed.documentElement.outerHTML;
}

/** @param {Document} parsed @param {string} tag @param {string} [text] @param {string} [type] */
function insert(parsed, tag, text = "", type) {
	const element = parsed.createElement(tag);
	element.textContent = text;
	if (type) element.setAttribute("type", type);
	return element;
}

/** @param {Document} parsed @param {URL} url */
function baseOf(parsed, url) {
	const element = parsed.querySelector("base[href]");
	const href = element?.getAttribute("href");
	element?.removeAttribute("href");
	try {
		return new URL(href ?? "", url).href;
	} catch {
		return url.href;
	}
}

/** Writes the new address and keeps the app's own, which its scripts may ask for. @param {Element} element @param {string} name @param {string} to */
function keep(element, name, to) {
	element.setAttribute(`data-kolibri-${name.replace(":", "-")}`, element.getAttribute(name) ?? "");
	element.setAttribute(name, to);
}
