// What a person sees while the server starts: words, a bar, and both for screen readers too.

import { byId, make } from "../dom.js";
import { later, say, tongue } from "../say.js";

/** @typedef {{text: HTMLElement, bar: HTMLElement, words: string}} BootScreen */

/** @returns {BootScreen} */
export function showBoot() {
	const boot = {
		text: make("p", { role: "status" }),
		bar: make("div", { class: "bar unknown", role: "progressbar" }, make("div")),
		words: later("Kolibri is starting…"),
	};
	const { text, bar } = boot;
	sayAgain(boot);
	bar.setAttribute("aria-valuemin", "0");
	bar.setAttribute("aria-valuemax", "100");
	const screen = byId("screen");
	screen.replaceChildren(text, bar);
	screen.hidden = false;
	return boot;
}

/** In another language. @param {BootScreen} boot */
export function sayAgain({ text, bar, words }) {
	text.textContent = say(words);
	bar.setAttribute("aria-label", say("Start"));
	Object.assign(byId("screen"), tongue());
}

/**
 * @param {BootScreen} boot
 * @param {string} words in English (say.js)
 * @param {number} [part] from 0 to 1; unknown when absent
 */
export function showProgress(boot, words, part) {
	const { text, bar } = boot;
	if (boot.words !== words) text.textContent = say(words);
	boot.words = words;
	bar.classList.toggle("unknown", part === undefined);
	const percent = part === undefined ? null : Math.min(100, Math.round(part * 100));
	/** @type {HTMLElement} */ (bar.firstElementChild).style.width = percent === null ? "" : `${percent}%`;
	if (percent === null) bar.removeAttribute("aria-valuenow");
	else bar.setAttribute("aria-valuenow", String(percent));
}

export function hideScreen() {
	const screen = byId("screen");
	screen.hidden = true;
	screen.replaceChildren();
}
