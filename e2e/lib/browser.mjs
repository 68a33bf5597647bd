// A browser profile that looks at the app, and what tests want to know of it.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";

export const ARGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];
/** Long enough for a machine with ten times too much to do; tests wait for what they expect, not for time. */
export const PATIENCE = Number(process.env.PATIENCE ?? 180_000);

export const sleep = (/** @type {number} */ ms) => new Promise((go) => setTimeout(go, ms));

/**
 * Repeats until the value is truthy.
 * @template T
 * @param {() => T | Promise<T>} ask
 * @param {string} what for the failure
 * @param {number} [patience]
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(ask, what, patience = PATIENCE) {
	let last;
	for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
		try {
			last = await ask();
			if (last) return last;
		} catch (error) {
			last = error; // a frame may navigate while it is asked
		}
	}
	throw new Error(`${what}: not in ${patience} ms; last: ${last}`);
}

/** Chromium writes for a moment after its end. @param {string} profile */
export const removeProfile = (profile) =>
	until(() => {
		fs.rmSync(profile, { recursive: true, force: true });
		return true;
	}, `${profile} is removed`);

export class Browser {
	/** @param {import("./site.mjs").Site} site */
	constructor(site) {
		this.site = site;
		this.profile = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-profile-"));
		/** @type {string[]} */
		this.requests = [];
		/** @type {string[]} */
		this.errors = [];
	}

	/** @param {Parameters<typeof chromium.launchPersistentContext>[1]} [options] */
	async launch(options = {}) {
		this.context = await chromium.launchPersistentContext(this.profile, {
			executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
			headless: true,
			viewport: { width: 1280, height: 900 },
			locale: "en-US",
			args: ARGS,
			...options,
		});
		this.context.setDefaultTimeout(PATIENCE);
		this.context.on("request", (request) => this.requests.push(request.url()));
		this.context.on("page", (page) => this.watch(page));
		this.page = this.context.pages()[0];
		this.watch(this.page);
		return this;
	}

	/** @param {import("playwright-core").Page} page */
	watch(page) {
		page.on("console", (m) => m.type() === "error" && this.errors.push(m.text()));
		page.on("pageerror", (error) => this.errors.push(String(error.stack ?? error)));
	}

	async close() {
		await this.context?.close().catch(() => {});
	}

	async remove() {
		await this.close();
		await removeProfile(this.profile);
	}

	/** Kills every process of this profile at once, as a power cut would. */
	async kill() {
		for (const id of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
			try {
				const line = fs.readFileSync(`/proc/${id}/cmdline`, "utf8");
				if (line.includes(`--user-data-dir=${this.profile}`)) process.kill(Number(id), "SIGKILL");
			} catch {
				// it ended meanwhile
			}
		}
		await this.close();
		for (const name of ["SingletonLock", "SingletonSocket", "SingletonCookie"]) {
			fs.rmSync(path.join(this.profile, name), { force: true });
		}
	}

	/** @param {string} [at] path below the app's root */
	async open(at = "", page = this.page) {
		await page.goto(this.site.url + at, { waitUntil: "commit" });
	}

	/** The frame that Kolibri's pages live in. */
	frame(page = this.page) {
		const mine = (/** @type {import("playwright-core").Frame} */ f) =>
			f.parentFrame() === page.mainFrame() && f.url().startsWith(this.site.url) && !f.url().includes("kwdl=");
		return page.frames().find(mine) ?? null;
	}

	/** Waits for one of Kolibri's pages whose application runs. @param {RegExp} [at] its address */
	async mounted(at = /./, page = this.page) {
		return until(async () => {
			const frame = this.frame(page);
			const runs = await frame?.evaluate(
				() => "kolibriCoreAppGlobal" in window && !document.querySelector("rootvue"),
			);
			return runs && at.test(frame?.url() ?? "") && frame;
		}, `Kolibri's page at ${at} in ${page.url()}`);
	}

	/**
	 * A request from within Kolibri's page, as its own scripts would send it.
	 * @param {string} method @param {string} at @param {unknown} [body]
	 */
	async api(method, at, body, page = this.page) {
		const frame = /** @type {import("playwright-core").Frame} */ (this.frame(page));
		return frame.evaluate(
			async ([method, url, body]) => {
				const headers = { "X-Requested-With": "XMLHttpRequest", "Content-Type": "application/json" };
				const answer = await fetch(url, { method, headers, body });
				const text = await answer.text();
				return { status: answer.status, text };
			},
			/** @type {const} */ ([
				method,
				this.site.url + at,
				body === undefined ? undefined : JSON.stringify(body),
			]),
		);
	}

	/** Takes a fresh Kolibri past the setup wizard and signs its superuser in. */
	async provision() {
		const answer = await this.api("POST", "api/tasks/tasks/", {
			type: "kolibri.core.device.tasks.provisiondevice",
			facility: { name: "Test School" },
			superuser: { full_name: "Admin One", username: "admin", password: "password1" },
			settings: {
				learner_can_login_with_no_password: false,
				on_my_own_setup: false,
				learner_can_sign_up: false,
			},
			preset: "formal",
			language_id: "en",
			device_name: "Test Device",
			allow_guest_access: false,
			is_provisioned: true,
			is_soud: false,
		});
		if (answer.status >= 300) throw new Error(`provisiondevice: ${answer.status} ${answer.text}`);
		this.facility = await until(async () => {
			const { status, text } = await this.api("GET", "api/auth/facility/");
			return status === 200 && JSON.parse(text)[0]?.id;
		}, "the facility");
		await until(async () => (await this.signIn()).status === 200, "signing in");
	}

	signIn(page = this.page) {
		const who = { username: "admin", password: "password1", facility: this.facility };
		return this.api("POST", "api/auth/session/", who, page);
	}

	/** Who is signed in. */
	async whoami(page = this.page) {
		const { text } = await this.api("PUT", "api/auth/session/current/", { active: false }, page);
		return JSON.parse(text).username;
	}

	/** Goes to a page of Kolibri's inside the frame, as its own links do. @param {string} at */
	async go(at, page = this.page) {
		const frame = /** @type {import("playwright-core").Frame} */ (this.frame(page));
		await frame.evaluate((url) => location.assign(url), this.site.url + at);
	}

	/** @param {string} name of a performance mark on the shell's page @returns {Promise<number | undefined>} */
	mark(name, page = this.page) {
		return page.evaluate((n) => performance.getEntriesByName(n)[0]?.startTime, name);
	}

	/** Reloads past every cache and the service worker. */
	async hardReload(page = this.page) {
		await page.evaluate(() => Object.assign(window, { before: true }));
		const session = await this.context.newCDPSession(page);
		await session.send("Page.reload", { ignoreCache: true });
		await until(() => page.evaluate(() => !("before" in window)), "the reload");
		await session.detach();
	}

	async stopServiceWorkers() {
		const session = await this.context.newCDPSession(this.page);
		await session.send("ServiceWorker.enable");
		await session.send("ServiceWorker.stopAllWorkers");
		await session.detach();
	}
}
