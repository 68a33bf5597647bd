// The service worker's registration, and updates. One rule: a tab never mixes two builds. The
// shell, the service worker and the build's cache it answers from have one id; a new build is
// fetched whole beside the running one, and waits. It takes over when a tab starts and no other is
// open, or when the person says so and no tab has unsaved work.

import { scoped } from "../worker/protocol.js";

/** Reloading once brings shell and service worker together; more than once would be a loop. */
const RELOADED = "kolibri:reloaded";

/** The first page comes to rest before more is fetched; most people need no second language. */
const SOON_MS = 5_000;
const LATER_MS = 45_000;

/** How long a start waits for a new build to take over from one that is still at work. */
const TAKE_OVER_MS = 5_000;

/** A service worker that was stopped has lost the question; one that is being started has not. */
const ASK_AGAIN_MS = 5_000;

/** After this time a person is told, and may try again. */
const SILENT_MS = 120_000;

/** @param {number} ms @returns {Promise<void>} */
const pause = (ms) => new Promise((go) => setTimeout(go, ms));

export class Registration {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {import("./build.js").Build} options.build
	 * @param {() => boolean} options.isBusy this tab has unsaved work
	 * @param {() => void} options.onUpdate a new build waits
	 */
	constructor({ root, build, isBusy, onUpdate }) {
		this.root = root;
		this.build = build;
		this.isBusy = isBusy;
		this.onUpdate = onUpdate;
		this.news = new BroadcastChannel(scoped(root, "tabs"));
		this.news.onmessage = ({ data }) => {
			if (data.t === "busy?" && isBusy()) this.news.postMessage({ t: "busy", id: data.id });
		};
		// Held for as long as the tab lives, so that others can count.
		navigator.locks.request(scoped(root, "tab"), { mode: "shared" }, () => new Promise(() => {}));
	}

	/** Resolves once a service worker of this build answers this tab's requests; may reload instead. */
	async control() {
		const container = navigator.serviceWorker;
		this.registration = await container.register(new URL("sw.js", this.root), { scope: this.root.href });
		this.watch(this.registration);
		for (;;) {
			if (this.registration.waiting && (await this.isAlone())) await this.activate();
			if (container.controller && (await buildOf(container.controller)) === this.build.id) break;
			const active = await whenActive(this.registration);
			if ((await buildOf(active)) === this.build.id) {
				await this.claim(active);
				break;
			}
			// The active one is another build's. Ours may be on its way; with other tabs open, or
			// when it does not come, join the running build by an ordinary reload.
			if ((await this.isAlone()) && (await this.newer())) continue;
			await reloadOnce();
		}
		sessionStorage.removeItem(RELOADED);
		container.addEventListener("controllerchange", () => this.startOver());
	}

	/** Another build has taken over: this tab joins it, as soon as there is no unsaved work. */
	startOver() {
		if (this.isBusy()) setTimeout(() => this.startOver(), 1000);
		else location.reload();
	}

	/**
	 * A hard reload leaves a page without service worker.
	 * @param {ServiceWorker} active
	 */
	async claim(active) {
		const { serviceWorker } = navigator;
		while (!serviceWorker.controller) {
			active.postMessage({ t: "claim" });
			await Promise.race([
				new Promise((go) => serviceWorker.addEventListener("controllerchange", go, { once: true })),
				pause(500),
			]);
		}
	}

	/**
	 * Lets the waiting build take over.
	 * @returns {Promise<boolean>} false: the running one has an answer under way. The browser then lets the
	 *     new one wait for some minutes at most.
	 */
	async activate() {
		const { active, waiting } = /** @type {ServiceWorkerRegistration} */ (this.registration);
		if (!waiting) return true;
		active?.postMessage({ t: "retire" });
		const activated = new Promise((go) =>
			waiting.addEventListener("statechange", () => waiting.state === "activated" && go(undefined)),
		);
		waiting.postMessage({ t: "activate" });
		await Promise.race([activated, pause(TAKE_OVER_MS)]);
		return waiting.state === "activated";
	}

	/** Looks for a newer build and waits until it is there. @returns {Promise<boolean>} */
	async newer() {
		const registration = /** @type {ServiceWorkerRegistration} */ (this.registration);
		await registration.update().catch(() => {});
		const { installing } = registration;
		if (!installing) return Boolean(registration.waiting);
		await new Promise((go) =>
			installing.addEventListener("statechange", () => installing.state !== "installing" && go(undefined)),
		);
		return Boolean(registration.waiting);
	}

	/** @param {ServiceWorkerRegistration} registration */
	watch(registration) {
		const tell = () => registration.waiting && navigator.serviceWorker.controller && this.onUpdate();
		registration.addEventListener("updatefound", () => {
			registration.installing?.addEventListener("statechange", tell);
		});
	}

	/**
	 * Has the build fetched for offline use, step by step so that pages in use come first; only
	 * what every page needs where the person pays by the byte.
	 */
	fill() {
		const { saveData = false } = /** @type {any} */ (navigator).connection ?? {};
		const ask = (/** @type {string} */ what) =>
			navigator.serviceWorker.controller?.postMessage({ t: "fill", what });
		setTimeout(() => ask(saveData ? "needed" : "viewers"), SOON_MS);
		if (!saveData) setTimeout(() => ask("all"), LATER_MS);
	}

	get updateWaits() {
		return Boolean(this.registration?.waiting);
	}

	/** No other tab of this app is open. */
	async isAlone() {
		const { held = [] } = await navigator.locks.query();
		return held.filter(({ name }) => name === scoped(this.root, "tab")).length <= 1;
	}

	/**
	 * Updates all tabs now.
	 * @returns {Promise<"busy" | "soon" | "done">} busy: a tab has unsaved work
	 */
	async updateNow() {
		if (this.isBusy()) return "busy";
		const id = crypto.randomUUID();
		const busy = await new Promise((go) => {
			const answers = new BroadcastChannel(scoped(this.root, "tabs"));
			answers.onmessage = ({ data }) => data.t === "busy" && data.id === id && go(true);
			answers.postMessage({ t: "busy?", id });
			setTimeout(() => {
				answers.close();
				go(false);
			}, 300);
		});
		if (busy) return "busy";
		return (await this.activate()) ? "done" : "soon"; // every tab reloads when its service worker changes
	}
}

/**
 * Asks a service worker whose it is. Silence says nothing: on a busy machine the browser may take long
 * to start it, or stop it before it has answered.
 * @param {ServiceWorker} worker
 * @returns {Promise<string | null>} null when it has been replaced
 */
async function buildOf(worker) {
	/** @type {(id: string) => void} */
	let said = () => {};
	/** @type {Promise<string>} */
	const answer = new Promise((go) => {
		said = go;
	});
	for (const end = performance.now() + SILENT_MS; performance.now() < end; ) {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = ({ data }) => said(data);
		worker.postMessage({ t: "build" }, [port2]);
		const id = await Promise.race([answer, pause(ASK_AGAIN_MS)]);
		if (id) return id;
		if (worker.state === "redundant") return null;
	}
	throw new Error("the service worker does not answer");
}

/** @param {ServiceWorkerRegistration} registration @returns {Promise<ServiceWorker>} */
async function whenActive(registration) {
	for (;;) {
		const worker = registration.active ?? registration.waiting ?? registration.installing;
		if (worker && worker === registration.active) return worker;
		if (!worker) throw new Error("the service worker could not be installed");
		await new Promise((go) => {
			worker.addEventListener("statechange", go, { once: true });
			setTimeout(go, 1000);
		});
	}
}

async function reloadOnce() {
	if (sessionStorage.getItem(RELOADED)) throw new Error("shell and service worker are of two builds");
	sessionStorage.setItem(RELOADED, "1");
	location.reload();
	await new Promise(() => {});
}
