// Gives a window without a server the means that apps expect of one: their files under their
// addresses by every way a page may ask for them, a location, storage that does not throw.
//
// What is not among the files is left to the browser, where the content security policy refuses it.

import { remark, resource, restyle } from "./markup.js";
import { page } from "./page.js";

/** Properties and attributes that load something, by the element's interface. */
const LOADING = /** @type {Record<string, string[]>} */ ({
	HTMLImageElement: ["src", "srcset"],
	HTMLMediaElement: ["src"],
	HTMLVideoElement: ["poster"],
	HTMLSourceElement: ["src", "srcset"],
	HTMLTrackElement: ["src"],
	HTMLScriptElement: ["src"],
	HTMLEmbedElement: ["src"],
	HTMLInputElement: ["src"],
	HTMLObjectElement: ["data"],
	HTMLLinkElement: ["href"],
});
const ATTRIBUTES = ["src", "srcset", "poster", "data", "href", "xlink:href", "style"];
/** Links that are followed, and elements whose `href` is no file. */
const FOLLOWED = "a, area, base, form";

export class Realm {
	/** @param {import("./files.js").Files} files */
	constructor(files) {
		this.files = files;
	}

	/**
	 * Makes a window one of the app's. Called before any of its own scripts.
	 * @param {any} win
	 * @param {string} address that the window would have on a server
	 * @param {string} [base] what the page's addresses are relative to
	 */
	enter(win, address, base = address) {
		if (win.kolibriRealm) return;
		Object.defineProperty(win, "kolibriRealm", { value: this });
		const at = { url: new URL(address), base };
		const link = (/** @type {any} */ to) => this.files.link(String(to), at.base);
		this.place(win, at);
		this.requests(win, at, link);
		this.elements(win, at, link);
		this.markup(win, link);
		this.watch(win, at, link);
		storage(win);
	}

	/**
	 * Shows one of the app's pages in a frame.
	 * @param {any} frame @param {string} address @param {string} base
	 * @returns {boolean} it is one
	 */
	show(frame, address, base) {
		const found = this.files.find(address, base);
		if (!found) {
			if (!isFile(address, base)) return false;
			frame.srcdoc = missing(new URL(address, base).pathname);
			return true;
		}
		if (/html|xml/.test(found.blob.type) && found.blob.type !== "image/svg+xml")
			frame.srcdoc = page(this.files, found);
		else frame.contentWindow.location.replace(this.files.link(address, base));
		return true;
	}

	/** The window's location. @param {any} win @param {{url: URL, base: string}} at */
	place(win, at) {
		const go = (/** @type {any} */ to) => {
			const url = new URL(String(to), at.base);
			const [here, there] = [at.url.href, url.href].map((u) => u.split("#")[0]);
			at.url = url;
			if (here === there && url.hash) win.location.hash = url.hash;
			else this.show(win.frameElement, url.href, at.base);
		};
		const location = {
			assign: go,
			replace: go,
			reload: () => this.show(win.frameElement, at.url.href, at.base),
			toString: () => at.url.href,
			get origin() {
				return at.url.origin;
			},
		};
		for (const name of ["href", "protocol", "host", "hostname", "port", "pathname", "search"]) {
			Object.defineProperty(location, name, {
				enumerable: true,
				get: () => /** @type {any} */ (at.url)[name],
				set: (value) => {
					const url = new URL(at.url);
					if (name === "href") return go(value);
					/** @type {any} */ (url)[name] = value;
					go(url);
				},
			});
		}
		Object.defineProperty(location, "hash", {
			enumerable: true,
			get: () => win.location.hash || at.url.hash,
			set: (value) => {
				win.location.hash = value;
			},
		});
		Object.defineProperty(win, "kolibriLocation", { value: location });
		for (const name of ["URL", "documentURI"])
			Object.defineProperty(win.document, name, { configurable: true, get: () => at.url.href });
		const Native = win.URL;
		win.URL = class URL extends Native {
			/** @param {any} address @param {any} [base] */
			constructor(address, base) {
				if (base !== undefined && /^(?:about|data):/.test(String(base))) base = at.url.href;
				super(address === win.location ? at.url.href : address, base);
			}
		};
		win.kolibriImport = (/** @type {string} */ from) => {
			const load = new win.Function("address", "return import(address)");
			return (/** @type {any} */ to) => load(this.files.link(String(to), from, true) ?? to);
		};
		win.open = () => null;
	}

	/** @param {any} win @param {{base: string}} at @param {import("./markup.js").Link} link */
	requests(win, at, link) {
		const { fetch, XMLHttpRequest, Worker, Audio, FontFace } = win;
		win.fetch = async (/** @type {any} */ what, /** @type {any} */ options) => {
			const address = what instanceof win.Request ? what.url : String(what);
			const to = this.files.find(address, at.base);
			if (to) return answer(win, to.blob, options?.headers ?? what.headers, to.url.href);
			return isFile(address, at.base) ? new win.Response("Not Found", { status: 404 }) : fetch(what, options);
		};
		const open = XMLHttpRequest.prototype.open;
		XMLHttpRequest.prototype.open = function (
			/** @type {string} */ method,
			/** @type {any} */ address,
			/** @type {any[]} */ ...more
		) {
			const to = link(address);
			// A blob: address knows no other method; the answer to HEAD has a body that nobody reads.
			return open.call(this, to ? "GET" : method, to ?? address, ...more);
		};
		win.Worker = class extends Worker {
			/** @param {any} address @param {any} options */
			constructor(address, options) {
				super(link(address) ?? address, options);
			}
		};
		win.Audio = function AudioElement(/** @type {any[]} */ ...address) {
			const audio = new Audio();
			if (address.length) audio.src = address[0];
			return new.target ? audio : undefined;
		};
		win.FontFace = class extends FontFace {
			/** @param {any} family @param {any} source @param {any} about */
			constructor(family, source, about) {
				super(family, typeof source === "string" ? restyle(source, link) : source, about);
			}
		};
	}

	/** @param {any} win @param {{base: string}} at @param {import("./markup.js").Link} link */
	elements(win, at, link) {
		const { setAttribute, getAttribute } = win.Element.prototype;
		const kept = (/** @type {string} */ name) => `data-kolibri-${name.replace(":", "-")}`;
		const put = (/** @type {any} */ element, /** @type {string} */ name, /** @type {any} */ value) => {
			const text = String(value);
			if (name === "style") return setAttribute.call(element, name, restyle(text, link));
			if (name === "srcset") return setAttribute.call(element, name, resource(text, link));
			if (!element.matches(FOLLOWED)) {
				if (element.matches("iframe, frame")) {
					if (name === "src" && this.show(element, text, at.base)) {
						return setAttribute.call(element, kept(name), text);
					}
				} else {
					const module = element.localName === "script" && element.type === "module";
					const to = module ? this.files.link(text, at.base, true) : link(text);
					if (to) {
						setAttribute.call(element, kept(name), text);
						return setAttribute.call(element, name, to);
					}
				}
			}
			return setAttribute.call(element, name, value);
		};
		win.Element.prototype.setAttribute = function (/** @type {string} */ name, /** @type {any} */ value) {
			const lower = String(name).toLowerCase();
			return ATTRIBUTES.includes(lower) ? put(this, lower, value) : setAttribute.call(this, name, value);
		};
		win.Element.prototype.getAttribute = function (/** @type {string} */ name) {
			const value = getAttribute.call(this, name);
			return value?.startsWith("blob:") ? (getAttribute.call(this, kept(String(name))) ?? value) : value;
		};
		for (const [type, names] of Object.entries(LOADING)) {
			for (const name of names) property(win, type, name, put, (e) => getAttribute.call(e, kept(name)), at);
		}
		property(win, "HTMLIFrameElement", "src", put, (e) => getAttribute.call(e, kept("src")), at);
	}

	/** @param {any} win @param {import("./markup.js").Link} link */
	markup(win, link) {
		for (const [type, name] of [
			["Element", "innerHTML"],
			["Element", "outerHTML"],
		]) {
			const own = /** @type {any} */ (Object.getOwnPropertyDescriptor(win[type].prototype, name));
			Object.defineProperty(win[type].prototype, name, {
				...own,
				set(html) {
					const isText = this.localName === "style" || this.localName === "script";
					own.set.call(this, isText ? html : remark(String(html ?? ""), link));
				},
			});
		}
		const { insertAdjacentHTML } = win.Element.prototype;
		win.Element.prototype.insertAdjacentHTML = function (/** @type {any} */ where, /** @type {any} */ html) {
			insertAdjacentHTML.call(this, where, remark(String(html), link));
		};
		const { createContextualFragment } = win.Range.prototype;
		win.Range.prototype.createContextualFragment = function (/** @type {any} */ html) {
			return createContextualFragment.call(this, remark(String(html), link));
		};
		for (const name of ["write", "writeln"]) {
			const own = win.Document.prototype[name];
			win.Document.prototype[name] = function (/** @type {any[]} */ ...parts) {
				return own.call(this, remark(parts.join(""), link));
			};
		}
	}

	/**
	 * What came by another way than the above, and what a person clicks.
	 * @param {any} win @param {{url: URL, base: string}} at @param {import("./markup.js").Link} link
	 */
	watch(win, at, link) {
		const { document } = win;
		const mend = (/** @type {any} */ element) => {
			const style = element.getAttribute?.("style");
			if (style?.includes("url(")) {
				const other = restyle(style, link);
				if (other !== style) element.setAttribute("style", other);
			}
			const frame = element.getAttribute?.("data-kolibri-frame");
			if (frame) {
				element.removeAttribute("data-kolibri-frame");
				this.show(element, frame, at.base);
			}
			if (element.localName === "style") {
				const other = restyle(element.textContent, link);
				if (other !== element.textContent) element.textContent = other;
			}
		};
		const look = (/** @type {MutationRecord[]} */ changes) => {
			for (const { type, target, addedNodes } of changes) {
				if (type === "attributes") mend(target);
				for (const node of /** @type {any} */ (addedNodes)) {
					if (node.nodeType !== 1) continue;
					mend(node);
					for (const inner of node.querySelectorAll("[style], [data-kolibri-frame], style")) mend(inner);
				}
			}
		};
		new win.MutationObserver(resident(win, look)).observe(document, {
			subtree: true,
			childList: true,
			attributes: true,
			attributeFilter: ["style"],
		});
		const click = (/** @type {any} */ event) => {
			const anchor = event.target.closest?.("a[href], area[href]");
			if (!anchor || event.defaultPrevented) return;
			const href = anchor.getAttribute("href");
			if (/^javascript:/i.test(href)) return;
			event.preventDefault();
			if (href.startsWith("#")) win.location.hash = href;
			else if (anchor.target === "_parent" || anchor.target === "_top")
				this.show(topmost(win), href, at.base);
			else {
				const named = anchor.target && document.querySelector(`iframe[name="${CSS.escape(anchor.target)}"]`);
				if (named) this.show(named, href, at.base);
				else win.kolibriLocation.assign(href);
			}
		};
		const submit = (/** @type {any} */ event) => {
			if (event.defaultPrevented) return;
			event.preventDefault();
			const url = new URL(event.target.getAttribute("action") ?? "", at.base);
			url.search = new URLSearchParams(/** @type {any} */ (new win.FormData(event.target))).toString();
			win.kolibriLocation.assign(url.href);
		};
		document.addEventListener("click", resident(win, click));
		document.addEventListener("submit", resident(win, submit));
	}
}

/**
 * A function of the window's own: Chromium gives elements the prototypes of the window whose callback
 * sees them first.
 * @param {any} win @param {(...args: any[]) => void} run
 */
const resident = (win, run) => new win.Function("run", "return (...args) => run(...args)")(run);

/** The frame of the app's outermost window. @param {any} win */
function topmost(win) {
	let window = win;
	while (window.parent.frameElement && window.parent.parent.kolibriRealm) window = window.parent;
	return window.frameElement;
}

/**
 * @param {any} win @param {string} type @param {string} name
 * @param {(element: any, name: string, value: any) => void} put
 * @param {(element: any) => string | null} kept
 * @param {{base: string}} at
 */
function property(win, type, name, put, kept, at) {
	const own = Object.getOwnPropertyDescriptor(win[type].prototype, name);
	if (!own) return;
	Object.defineProperty(win[type].prototype, name, {
		...own,
		get() {
			const value = own.get?.call(this);
			const before = String(value).startsWith("blob:") || name === "src" ? kept(this) : null;
			return before === null ? value : new URL(before, at.base).href;
		},
		set(value) {
			put(this, name, value);
		},
	});
}

/** What Kolibri's player takes for a failure (kolibri/core/content/zip_wsgi.py). @param {string} path */
const missing = (path) =>
	`<meta name="sandbox-error" content="${path.replace(/[&"<>]/g, (c) => `&#${c.charCodeAt(0)};`)} does not exist">`;

/** @param {string} address @param {string} base an app asks for a file that it does not have */
function isFile(address, base) {
	try {
		return new URL(address, base).origin === new URL(base).origin;
	} catch {
		return false;
	}
}

/**
 * @param {any} win @param {Blob} blob
 * @param {any} headers of the request
 * @param {string} url
 */
function answer(win, blob, headers, url) {
	const range = /^bytes=(\d+)-(\d*)$/.exec(new Headers(headers).get("Range") ?? "");
	const from = range ? Number(range[1]) : 0;
	const to = range?.[2] ? Math.min(Number(range[2]) + 1, blob.size) : blob.size;
	const body = range ? blob.slice(from, to, blob.type) : blob;
	const response = new win.Response(body, {
		status: range ? 206 : 200,
		headers: {
			"Content-Type": blob.type,
			"Content-Length": String(body.size),
			...(range && { "Content-Range": `bytes ${from}-${to - 1}/${blob.size}` }),
		},
	});
	Object.defineProperty(response, "url", { value: url });
	return response;
}

/** An opaque origin has no storage, and throws where it is asked for. @param {any} win */
function storage(win) {
	for (const name of ["localStorage", "sessionStorage"]) {
		const kept = new Map();
		const area = {
			get length() {
				return kept.size;
			},
			key: (/** @type {number} */ i) => [...kept.keys()][i] ?? null,
			getItem: (/** @type {any} */ key) => kept.get(String(key)) ?? null,
			setItem: (/** @type {any} */ key, /** @type {any} */ value) =>
				void kept.set(String(key), String(value)),
			removeItem: (/** @type {any} */ key) => void kept.delete(String(key)),
			clear: () => kept.clear(),
		};
		Object.defineProperty(win, name, { configurable: true, value: area });
	}
	Object.defineProperty(win.document, "cookie", { configurable: true, get: () => "", set: () => {} });
	// Asked for by many, it throws here; where it is missing they go without.
	delete win.Navigator.prototype.serviceWorker;
}
