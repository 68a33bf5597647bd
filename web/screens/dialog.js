// The shell's one kind of dialogue. The browser keeps the focus inside, Escape closes it, and the
// focus goes back to where it was.

import { make } from "../dom.js";
import { tongue } from "../say.js";

let count = 0;

/**
 * @param {string} title
 * @param {...Node} content elements with `data-close` close the dialogue
 * @returns {Promise<void>} resolves when it is closed
 */
export function openDialog(title, ...content) {
	const id = `dialog-${++count}`;
	const dialog = make(
		"dialog",
		{ "aria-labelledby": id, ...tongue() },
		make("h2", { id }, title),
		...content,
	);
	document.body.append(dialog);
	dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => {
		if (/** @type {Element} */ (event.target).closest("[data-close]")) dialog.close();
	});
	dialog.showModal();
	return new Promise((resolve) => {
		dialog.addEventListener("close", () => {
			dialog.remove();
			resolve();
		});
	});
}

/** Closes all of them: what they told is no longer so. */
export function closeDialogs() {
	for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}
