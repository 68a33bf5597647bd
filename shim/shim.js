// First script of every Kolibri page in the tab. It connects the page's HTTP client to the server
// in the worker, before any of Kolibri's own scripts has run.

import { Connection } from "../worker/client.js";
import { REPEATABLE } from "../worker/protocol.js";
import { installAdapter } from "./axios.js";
import { setCookies } from "./cookies.js";
import { catchDownloads } from "./downloads.js";
import { reportMoves, watchWork } from "./moves.js";

const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const root = new URL("..", script.src);
const shell = (() => {
	try {
		return window.parent !== window ? window.parent.kolibriShell : undefined;
	} catch {
		return undefined; // somebody else's page
	}
})();

setCookies(JSON.parse(script.dataset.cookies ?? "[]"));

/** @param {MessagePort} port */
function deliver(port) {
	if (shell) shell.connect(port);
	else navigator.serviceWorker.controller?.postMessage({ t: "connect" }, [port]);
}

const server = new Connection({ root, deliver, onCookies: setCookies });
server.connect();
installAdapter({ request }, root);
catchDownloads(root);
if (shell) reportMoves(shell);
const saved = shell ? watchWork(shell) : () => {};

/** @param {import("../worker/client.js").Call} call */
async function request(call) {
	const answer = await server.request(call);
	if (isSaving(call) && answer.status < 300) saved();
	return answer;
}

/** A request that keeps somebody's work; the heartbeat (a PUT as well) does not. @param {import("../worker/client.js").Call} call */
function isSaving({ method, url }) {
	return !REPEATABLE.has(method) && !url.includes("/session/current/");
}

navigator.serviceWorker.addEventListener("message", ({ data }) => {
	if (data.t === "cookies") setCookies(data.cookies);
});
navigator.serviceWorker.startMessages();
addEventListener("pagehide", () => server.close());
