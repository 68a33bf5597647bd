// Tells the shell when the page's address or title changes and whether it has unsaved work.

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
	watchWork(shell);
}

/**
 * What was typed and not sent yet is unsaved work, and so is a quiz that is being taken. Leaving
 * the place or sending something to the server ends it.
 * @param {import("../web/shell.js").ShellForPages} shell
 */
function watchWork(shell) {
	let typed = false;
	const tell = () => shell.busy(typed || /\/exam\/|\/quiz|examViewer/i.test(location.hash));
	addEventListener(
		"input",
		() => {
			typed = true;
			tell();
		},
		true,
	);
	addEventListener("hashchange", () => {
		typed = false;
		tell();
	});
	tell();
}
