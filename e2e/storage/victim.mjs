// A Chromium that can be killed with SIGKILL, and in it the worker with the writer.

import { spawn } from "node:child_process";
import { chromium } from "playwright-core";
import { FLAGS } from "./chromium.mjs";

/**
 * @typedef {object} Start what the writer said when it had checked the database
 * @property {number} [checked] number of the last transaction found, all complete
 * @property {number} [openMs] milliseconds the opening took
 * @property {string} [failed] why the check or the writing failed
 */

export class Victim {
	/** @type {import("node:child_process").ChildProcess | undefined} */ #process;
	/** @type {import("playwright-core").Browser | undefined} */ #browser;
	/** @type {import("playwright-core").Page | undefined} */ #page;
	/** The last commit that the outside knows of. */
	acknowledged = 0;
	/** @type {(start: Start) => void} */ #said = () => {};

	/** @param {{profile: string, origin: string}} options */
	constructor({ profile, origin }) {
		this.profile = profile;
		this.origin = origin;
	}

	get running() {
		return this.#process !== undefined;
	}

	/** Starts the browser and opens the page. */
	async launch() {
		const child = spawn(
			process.env.CHROMIUM ?? "/usr/bin/chromium",
			[
				...FLAGS,
				"--headless=new",
				"--remote-debugging-port=0",
				`--user-data-dir=${this.profile}`,
				"about:blank",
			],
			{ detached: true, stdio: ["ignore", "ignore", "pipe"] },
		);
		this.#process = child;
		this.#browser = await chromium.connectOverCDP(await devtoolsAddress(child));
		const context = this.#browser.contexts()[0];
		const page = context.pages()[0] ?? (await context.newPage());
		this.#page = page;
		await page.exposeFunction("hear", (/** @type {any} */ message) => {
			if (message.committed) this.acknowledged = Math.max(this.acknowledged, message.committed);
			else this.#said(message);
		});
		await page.goto(this.origin);
	}

	/**
	 * Starts the writer in a new worker and waits for its check.
	 * @param {string[]} args
	 * @returns {Promise<Start>}
	 */
	async startWriter(args) {
		const said = new Promise((resolve) => {
			this.#said = resolve;
			setTimeout(() => resolve({ failed: "the writer said nothing for two minutes" }), 120_000).unref();
		});
		await /** @type {import("playwright-core").Page} */ (this.#page).evaluate((args) => {
			/** @type {any} */
			const scope = window;
			const worker = new Worker("/worker.js", { type: "module" });
			scope.worker = worker;
			scope.committed = 0;
			let telling = false;
			const tell = async () => {
				if (telling) return;
				telling = true;
				for (let told = 0; told < scope.committed; ) {
					told = scope.committed;
					await scope.hear({ committed: told });
				}
				telling = false;
			};
			worker.onerror = (event) => scope.hear({ failed: event.message });
			worker.onmessage = ({ data }) => {
				if (data.committed) {
					scope.committed = data.committed;
					tell();
				} else if (data.output) console.log(data.output);
				else if (data.exit === undefined) scope.hear(data);
			};
			worker.postMessage({ wasm: "/writer.wasm", args, env: {} });
		}, args);
		return said;
	}

	/**
	 * Waits until a commit is known outside, or for eight seconds.
	 * @param {number} number
	 */
	async hasCommitted(number) {
		for (let waited = 0; this.acknowledged < number && waited < 8_000; waited += 5) {
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
	}

	/** Terminates the worker; what it said before counts as acknowledged. */
	async terminateWorker() {
		const committed = await /** @type {import("playwright-core").Page} */ (this.#page).evaluate(() => {
			/** @type {any} */
			const scope = window;
			scope.worker.terminate();
			return scope.committed;
		});
		this.acknowledged = Math.max(this.acknowledged, committed);
	}

	/** Kills all processes of the browser at once. */
	async killBrowser() {
		const child = this.#process;
		if (!child?.pid) return;
		const gone = new Promise((resolve) => child.once("exit", resolve));
		process.kill(-child.pid, "SIGKILL");
		await gone;
		await this.#browser?.close().catch(() => {});
		this.#process = this.#browser = this.#page = undefined;
	}
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<string>}
 */
function devtoolsAddress(child) {
	return new Promise((resolve, reject) => {
		let said = "";
		child.stderr?.on("data", (chunk) => {
			said += chunk;
			const found = said.match(/DevTools listening on (ws:\S+)/);
			if (found) resolve(found[1]);
		});
		child.once("exit", () => reject(new Error(`Chromium ended: ${said.slice(-500)}`)));
	});
}
