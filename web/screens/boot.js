// What a person sees while the server starts: words, a bar, and both for screen readers too.

import { byId, make } from "../dom.js";

/** @typedef {{text: HTMLElement, bar: HTMLElement}} BootScreen */

/** @returns {BootScreen} */
export function showBoot() {
	const text = make("p", { role: "status" }, "Kolibri is starting…");
	const bar = make("div", { class: "bar unknown", role: "progressbar", "aria-label": "Start" }, make("div"));
	bar.setAttribute("aria-valuemin", "0");
	bar.setAttribute("aria-valuemax", "100");
	const screen = byId("screen");
	screen.replaceChildren(text, bar);
	screen.hidden = false;
	return { text, bar };
}

/**
 * @param {BootScreen} boot
 * @param {string} words
 * @param {number} [part] from 0 to 1; unknown when absent
 */
export function showProgress({ text, bar }, words, part) {
	if (text.textContent !== words) text.textContent = words;
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
