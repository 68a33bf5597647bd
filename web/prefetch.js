// Fetches what the page to come will ask for while the server is still being compiled, straight
// into the build's cache, where the service worker looks first.

import { cacheName, fill } from "./sw/store.js";
import { pathIn } from "./urls.js";

/** Languages written from right to left, of those that Kolibri offers. */
export const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur-pk"]);

/**
 * The language and page of an address, as far as they can be told before the server answers. `named` tells
 * whether the address says the language.
 * @param {URL} url
 * @param {URL} root
 * @param {import("./build.js").Build} build
 */
export function guess(url, root, build) {
	const [first, ...rest] = (pathIn(url, root) ?? "").split("/");
	const hasLanguage = build.languages.includes(first);
	const path = (hasLanguage ? rest.join("/") : "").replace(/\/$/, "");
	return {
		lang: hasLanguage ? first : "en",
		named: hasLanguage,
		page: build.pages.includes(path) ? path : null,
	};
}

/**
 * @param {string} lang
 * @param {string} page
 * @param {import("./build.js").Build} build
 * @returns {string[]}
 */
export function filesOf(lang, page, build) {
	const direction = RIGHT_TO_LEFT.has(lang) ? "rtl" : "ltr";
	const { bundles, fonts } = build;
	return [
		...(bundles.all[direction] ?? []),
		...(bundles.page[page]?.[direction] ?? []),
		fonts.common,
		fonts.lang[lang],
	].filter(Boolean);
}

/**
 * @param {URL} root
 * @param {import("./build.js").Build} build
 * @param {string} lang
 * @param {string} page
 */
export async function prefetch(root, build, lang, page) {
	const cache = await caches.open(cacheName(root, build.id));
	await fill(
		cache,
		root,
		filesOf(lang, page, build).map((url) => ({ url })),
	);
}
