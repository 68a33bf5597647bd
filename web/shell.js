// The shell: the page that stays while Kolibri's pages come and go in its frame. It starts the
// server's worker, waits for the service worker, opens the frame, and says what is going on.

import { Connection } from "../worker/client.js";
import { scoped } from "../worker/protocol.js";
import { Channels } from "./channels.js";
import { Drives } from "./drives.js";
import { Frame } from "./frame.js";
import { Home } from "./home.js";
import { Host } from "./host.js";
import { guess, prefetch, RIGHT_TO_LEFT } from "./prefetch.js";
import { Registration } from "./register.js";
import { later, speak } from "./say.js";
import { hideScreen, sayAgain, showBoot, showProgress } from "./screens/boot.js";
import { showFailure } from "./screens/failure.js";
import { Strip } from "./screens/strip.js";
import { Share } from "./share/share.js";

/**
 * What a page in the frame may ask of the shell (shim/shim.js).
 * @typedef {object} ShellForPages
 * @property {(port: MessagePort) => void} connect
 * @property {() => void} moved the page's address or title has changed
 * @property {(busy: boolean) => void} busy the page has unsaved work
 */

const build = __BUILD__;
const script = /** @type {HTMLScriptElement} */ (document.currentScript);
const root = new URL("..", script.src);

/** A server that dies this soon after it was restarted is not restarted again by itself. */
const TOO_SOON_MS = 60_000;

let boot = showBoot();
let busy = false;
let failed = false;
let started = false;
let filling = false;
let lastRestart = Number.NEGATIVE_INFINITY;

const host = new Host({ root, build, onReport });
const server = new Connection({ root, deliver: (port) => host.deliver(port), onCookies: setCookies });
const registration = new Registration({ root, build, isBusy: () => busy, onUpdate: () => strip.refresh() });
const frame = new Frame({ onPage });
const share = new Share({ root, build, deliver: (port) => void host.deliver(port), ready: () => ready });
const home = new Home(root, server, () => restartAll());
const strip = new Strip(home, registration, share, new Drives(root), new Channels(root, server));
const tabs = new BroadcastChannel(scoped(root, "tabs"));
tabs.addEventListener("message", ({ data }) => {
	if (data.t === "replaced") restart();
});

window.kolibriShell = {
	connect: (port) => void host.deliver(port),
	moved: () => frame.follow(),
	busy: (now) => {
		busy = now;
	},
};

/** @param {import("./host.js").Report} report */
function onReport(report) {
	switch (report.t) {
		case "mark":
			// Benchmarks and people with the performance panel look for them on the page.
			performance.mark(`kolibri:${report.name}`, { startTime: report.at - performance.timeOrigin });
			if (report.name === "module") showProgress(boot, later("Opening your data…"));
			if (report.name === "answering") showProgress(boot, later("Opening the page…"));
			return;
		case "progress":
			if (report.loaded < report.total)
				showProgress(boot, later("Loading Kolibri…"), report.loaded / report.total);
			else showProgress(boot, later("Preparing Kolibri…"));
			return;
		case "full":
			strip.warnFull();
			return;
		case "failed":
			fail(report.code, report.message, report.code.endsWith("-database"));
			return;
		case "ended":
			if (performance.now() - lastRestart > TOO_SOON_MS) {
				lastRestart = performance.now();
				host.stop();
				host.start();
			} else fail("crashed", report.message, false);
	}
}

/**
 * @param {string} code
 * @param {string} message
 * @param {boolean} canSave the server still answers for the data as it lies
 */
function fail(code, message, canSave) {
	failed = true;
	strip.show(false);
	showFailure(
		{ code, message },
		{
			build: build.id,
			retry: () => restart(true),
			backup: canSave ? () => home.download(false) : null,
			reset: canSave ? () => home.reset() : null,
		},
	);
}

/** @param {boolean} [again] take nothing from the HTTP cache */
function restart(again = false) {
	failed = false;
	boot = showBoot();
	host.stop();
	host.start(again);
	if (started) frame.page?.location.reload();
	else open().catch(stopped);
}

/** The data were replaced: every tab starts over on the new ones. */
function restartAll() {
	tabs.postMessage({ t: "replaced" });
	restart();
}

/** @param {URL} url of the page that has come into the frame */
function onPage(url) {
	if (failed) return;
	hideScreen();
	strip.show(true);
	strip.refresh();
	speakAs(document.documentElement.lang);
	if (!filling) registration.fill();
	filling = true;
	if (isSetUp(url)) home.askToPersist().catch(() => {});
}

/** The shell speaks as Kolibri's page does. @param {string} lang */
async function speakAs(lang) {
	if (!(await speak(root, build, lang))) return;
	if (!failed) sayAgain(boot);
	strip.refresh();
}

/** Every page but these leads to the setup wizard until that has ended. @param {URL} url */
function isSetUp(url) {
	const { page } = guess(url, root, build);
	return page !== null && page !== "setup" && page !== "auth";
}

/** @param {string[]} cookies */
function setCookies(cookies) {
	// biome-ignore lint/suspicious/noDocumentCookie: pages read them synchronously, by js-cookie
	for (const cookie of cookies) document.cookie = cookie;
}

async function open() {
	if (!window.isSecureContext || !navigator.serviceWorker || !navigator.locks) {
		fail("insecure", "no service worker", false);
		return;
	}
	await registration.control();
	started = true;
	frame.open(location.href);
}

/** What the first visit will need is fetched while the server is compiled. */
async function prepare() {
	if (navigator.serviceWorker?.controller) return; // was here before: all of it is in the cache
	const here = guess(new URL(location.href), root, build);
	await prefetch(root, build, here.lang, here.page ?? "setup");
}

/** The first request: where the root leads. It waits in the worker's queue while the server starts. */
async function ask() {
	await server.request({ method: "GET", url: root.href, headers: [["Accept", "text/html"]] });
}

/** @param {any} error */
function stopped(error) {
	if (!failed) fail(error?.code ?? "crashed", String(error?.stack ?? error), false);
}

// The address bar will move: what is relative to it must not.
for (const link of document.querySelectorAll("link")) link.setAttribute("href", link.href);
// The service worker serves one shell for all addresses; each has its language.
const { lang, named } = guess(new URL(location.href), root, build);
document.documentElement.lang = lang;
document.documentElement.dir = RIGHT_TO_LEFT.has(lang) ? "rtl" : "ltr";
speakAs(named ? lang : navigator.language);
navigator.serviceWorker?.addEventListener("message", ({ data }) => {
	if (data.t === "cookies") setCookies(data.cookies);
	if (data.t === "offline") home.offline = data;
});
navigator.serviceWorker?.startMessages();
host.start();
const ready = ask();
ready.catch(() => {});
share.open().catch(() => {});
prepare().catch(() => {});
open().catch(stopped);
