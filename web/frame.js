// The one frame that Kolibri's pages live in, and the tab's address bar, title and language that
// follow it. The frame's own history is the tab's (browsers join them), so back and forward need
// nothing; what has to be told apart is who moved: the page, or a person typing a new hash.

import { byId, make } from "./dom.js";

/** Marks the tab's history entries that follow the frame; an address typed by hand has no mark. */
const FOLLOWS = { kolibri: "follows the frame" };

/** In this time the browser has moved the frame as well when a person went back or forward. */
const SETTLE_MS = 1000;

export class Frame {
	/**
	 * @param {object} options
	 * @param {(url: URL) => void} options.onPage a page has come
	 */
	constructor({ onPage }) {
		this.onPage = onPage;
		/** Where the frame was when it last moved. */
		this.last = "";
		/** @type {ReturnType<typeof setTimeout> | undefined} */
		this.settling = undefined;
		this.element = /** @type {HTMLIFrameElement} */ (
			make("iframe", { class: "frame", title: "Kolibri", allow: "fullscreen; autoplay; clipboard-write" })
		);
		this.element.addEventListener("load", () => this.follow());
		addEventListener("hashchange", () => {
			clearTimeout(this.settling);
			if (!history.state?.kolibri) this.lead();
			else this.settling = setTimeout(() => this.isAtRest() && this.lead(), SETTLE_MS);
		});
	}

	/** @param {string} url */
	open(url) {
		this.element.src = url;
		byId("main").append(this.element);
	}

	/** @returns {Window | null} the page's window, unless it is somebody else's */
	get page() {
		const page = this.element.contentWindow;
		try {
			return page && page.location.origin === location.origin ? page : null;
		} catch {
			return null;
		}
	}

	/** The page has moved: address, title and language of the tab follow. */
	follow() {
		const { page } = this;
		if (!page || page.location.href === "about:blank") return;
		const { href } = page.location;
		// A new title alone moves nothing: amid a step back the tab may be ahead of the frame.
		if (this.last !== href && location.href !== href) history.replaceState(FOLLOWS, "", href);
		this.last = href;
		const { title, documentElement } = page.document;
		if (title) document.title = title;
		if (documentElement?.lang) document.documentElement.lang = documentElement.lang;
		if (documentElement?.dir) document.documentElement.dir = documentElement.dir;
		this.onPage(new URL(href));
	}

	/** The page is not on its way elsewhere. */
	isAtRest() {
		return this.page?.document.readyState === "complete";
	}

	/** The tab's address was changed by hand: the page follows. */
	lead() {
		const { page } = this;
		if (page && page.location.href !== location.href) page.location.replace(location.href);
	}
}
