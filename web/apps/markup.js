// Puts other addresses into style sheets, markup and scripts. An app in an opaque frame has no
// server: what it names is looked up among its files, and named anew as a `blob:` address.
//
// Pure functions on text; apps.test.js tries them without a browser.

/**
 * @callback Link
 * @param {string} address as written
 * @returns {string | null} what to write instead, null to leave it
 */

/** @param {string} css @param {Link} link */
export function restyle(css, link) {
	return css
		.replace(/url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s][^)]*?))\s*\)/gi, (whole, a, b, c) => {
			const to = link(a ?? b ?? c);
			return to === null ? whole : `url("${to}")`;
		})
		.replace(/(@import\s+)(["'])([^"']+)\2/gi, (whole, before, _, address) => {
			const to = link(address);
			return to === null ? whole : `${before}"${to}"`;
		});
}

/** Attributes whose value is the address of something that is loaded with the page. */
const LOADS =
	/(\s(?:src|poster|data|background|href|xlink:href)\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi;

/**
 * For pieces of markup that scripts write. Links of `<a>` stay what they are: they are followed, not loaded.
 * @param {string} html
 * @param {Link} link
 */
export function remark(html, link) {
	return html.replace(/<(?!a\s)[a-z][^<>]*>/gi, (tag) => {
		// Frames show pages, which realm.js makes.
		if (/^<i?frame\s/i.test(tag)) return tag.replace(/(\s)src(?=\s*=)/i, "$1data-kolibri-frame");
		return tag
			.replace(LOADS, (whole, before, a, b, c) => {
				const to = link(a ?? b ?? c);
				return to === null ? whole : `${before}"${to}"`;
			})
			.replace(/(\sstyle\s*=\s*)(?:"([^"]*)"|'([^']*)')/gi, (whole, before, a, b) => {
				const style = restyle(a ?? b, link);
				return style === (a ?? b) ? whole : `${before}"${style.replaceAll('"', "&quot;")}"`;
			});
	});
}

/** @param {string} list of a `srcset` @param {Link} link */
export function resource(list, link) {
	return list.replace(/(^|,\s*)([^\s,]+)/g, (whole, before, address) => {
		const to = link(address);
		return to === null ? whole : before + to;
	});
}

/** What a script asks of its location; a frame without address answers in its place (realm.js). */
const LOCATION =
	/(?<![\w$.])(?:(?:window|self|document|globalThis)\s*\.\s*)?location(?=\s*\.\s*(?:href|search|pathname|origin|host|hostname|protocol|hash|reload|replace|assign|toString)\b)/g;

/** @param {string} js */
export const relocate = (js) => js.replace(LOCATION, "kolibriLocation");

/**
 * Modules name others by paths, which mean nothing next to a `blob:` address: they become whole
 * addresses, for which the page has an import map.
 * @param {string} js
 * @param {string} url of the module
 * @param {Link} link
 */
export function remodule(js, url, link) {
	const named = (
		/** @type {string} */ whole,
		/** @type {string} */ before,
		/** @type {string} */ quote,
		/** @type {string} */ address,
	) => {
		const to = /^\.{0,2}\//.test(address) ? link(address) : null;
		return to === null ? whole : `${before}${quote}${to}${quote}`;
	};
	return relocate(js)
		.replace(/(\bimport\s*(?:[\w*{}\s,$]+?\s*\bfrom\s*)?)(["'])([^"'\n]+)\2/g, named)
		.replace(/(\bexport\s*[\w*{}\s,$]+?\s*\bfrom\s*)(["'])([^"'\n]+)\2/g, named)
		.replace(/(?<![\w$.])import\s*\(/g, `kolibriImport(${JSON.stringify(url)})(`)
		.replace(/\bimport\.meta\.url\b/g, JSON.stringify(url));
}
