// Tells the shell when the page's address or title changes and whether it has unsaved work.

/** Where learners answer questions that are sent only at the end of each (plugins/learn: routes). */
const QUIZ = /\/(?:exam|quiz)\b/i;

/** @param {import("../web/shell.js").ShellForPages} shell */
export function reportMoves(shell) {
	for (const name of /** @type {const} */ (["pushState", "replaceState"])) {
		const original = history[name];
		history[name] = function (...args) {
			original.apply(this, args);
			shell.moved();
		};
	}
	addEventListener("hashchange", () => shell.moved());
	addEventListener("popstate", () => shell.moved());
	addEventListener("DOMContentLoaded", () => {
		shell.moved();
		const observer = new MutationObserver(() => shell.moved());
		observer.observe(document.head, { subtree: true, childList: true, characterData: true });
	});
}

/**
 * What was typed and not sent yet is unsaved work, and so is a quiz that is being taken. Leaving
 * the place or saving something ends it.
 * @param {import("../web/shell.js").ShellForPages} shell
 * @returns {() => void} to be called when something was saved
 */
export function watchWork(shell) {
	let typed = false;
	const tell = (/** @type {boolean} */ now) => {
		typed = now;
		shell.busy(typed || QUIZ.test(location.hash));
	};
	addEventListener("input", () => tell(true), true);
	addEventListener("hashchange", () => tell(false));
	tell(false);
	return () => tell(false);
}
