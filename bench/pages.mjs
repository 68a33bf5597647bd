// Kolibri's pages in Chromium: of a server, or in the tab. Both have the same front end, so both are
// measured from within it, by the client that Kolibri's own pages use.
import { Browser, until } from "../e2e/lib/browser.mjs";

/** @typedef {{name: string, url: string, tab: boolean}} Target */

export class Pages {
	/** @param {Target} target */
	constructor(target) {
		this.target = target;
		this.browser = new Browser(/** @type {any} */ (target));
	}

	async launch() {
		await this.browser.launch();
		return this;
	}

	close() {
		return this.browser.remove();
	}

	/** Where Kolibri runs: the shell's frame in the tab, the page itself on a server. */
	async frame() {
		if (!this.target.tab) return this.browser.page.mainFrame();
		return until(() => this.browser.frame(), "the shell's frame");
	}

	/**
	 * Opens one of Kolibri's pages as its own links do and returns after how many milliseconds the
	 * page showed its content.
	 * @param {string} at
	 */
	async go(at) {
		const frame = await this.frame();
		const before = await frame.evaluate(() => performance.timeOrigin);
		await frame.evaluate((url) => location.assign(url), this.target.url + at);
		return this.shown(before);
	}

	/**
	 * Waits for another document than the one that began at `before`, until Kolibri has put the
	 * text of its content on the page. (Its progress bars stay in the document when they are hidden.)
	 * @param {number} before
	 */
	async shown(before) {
		return until(
			async () =>
				(await this.frame()).evaluate(
					(before) =>
						new Promise((resolve) => {
							const look = () => {
								const text = document.querySelector("#main, main")?.textContent?.trim() ?? "";
								if (performance.timeOrigin !== before && text.length > 20) resolve(performance.now());
								else requestAnimationFrame(look);
							};
							look();
						}),
					before,
				),
			`${this.target.name} shows its page`,
		);
	}

	/** The first page, from an address typed. @param {string} at */
	async open(at) {
		await this.browser.page.goto(this.target.url + at, { waitUntil: "commit" });
		return this.mounted();
	}

	async mounted() {
		await until(
			async () =>
				(await this.frame()).evaluate(
					() => "kolibriCoreAppGlobal" in window && !document.querySelector("rootvue"),
				),
			`${this.target.name}: Kolibri's page`,
		);
	}

	/**
	 * A request by Kolibri's own client.
	 * @param {string} method @param {string} at @param {unknown} [body]
	 * @returns {Promise<{status: number, text: string, ms: number}>}
	 */
	async send(method, at, body) {
		return (await this.times(method, at, [body]))[0];
	}

	/**
	 * Requests by Kolibri's own client, one after the other.
	 * @param {string} method @param {string} at @param {unknown[]} bodies one for each request
	 * @returns {Promise<{status: number, text: string, ms: number}[]>}
	 */
	async times(method, at, bodies) {
		return (await this.frame()).evaluate(
			async ([method, url, bodies]) => {
				const { default: client } = /** @type {any} */ (window).kolibriCoreAppGlobal["kolibri/client"];
				const answers = [];
				for (const data of bodies) {
					const begin = performance.now();
					const answer = await client({ url, method, data: data ?? undefined }).catch((error) => {
						if (!error.response) throw new Error(`${method} ${url}: ${error}`);
						return error.response;
					});
					const ms = performance.now() - begin;
					const text = typeof answer.data === "string" ? answer.data : JSON.stringify(answer.data ?? null);
					answers.push({ status: answer.status, text, ms });
				}
				return answers;
			},
			/** @type {const} */ ([
				method,
				new URL(at, this.target.url).pathname + new URL(at, this.target.url).search,
				bodies,
			]),
		);
	}

	/**
	 * Sends a form with a file, by Kolibri's own client.
	 * @param {string} at @param {Record<string, string>} fields @param {{field: string, name: string, text: string}} file
	 * @returns {Promise<{status: number, text: string, ms: number}>}
	 */
	async upload(at, fields, file) {
		return (await this.frame()).evaluate(
			async ([url, fields, file]) => {
				const { default: client } = /** @type {any} */ (window).kolibriCoreAppGlobal["kolibri/client"];
				const data = new FormData();
				for (const [name, value] of Object.entries(fields)) data.append(name, value);
				data.append(file.field, new File([file.text], file.name, { type: "text/csv" }));
				const begin = performance.now();
				const answer = await client({ url, method: "POST", data }).catch((error) => {
					if (!error.response) throw new Error(`POST ${url}: ${error}`);
					return error.response;
				});
				return { status: answer.status, text: JSON.stringify(answer.data), ms: performance.now() - begin };
			},
			/** @type {const} */ ([new URL(at, this.target.url).pathname, fields, file]),
		);
	}

	/** How much memory the server's module has taken, in bytes. */
	async moduleMemory() {
		const session = await this.browser.context.newCDPSession(this.browser.page);
		/** @type {Promise<number>} */
		const found = new Promise((resolve) => {
			let id = 0;
			const ask = (/** @type {string} */ sessionId, /** @type {string} */ method, params = {}) =>
				session.send("Target.sendMessageToTarget", {
					sessionId,
					message: JSON.stringify({ id: ++id, method, params }),
				});
			session.on("Target.attachedToTarget", async ({ sessionId, targetInfo }) => {
				if (targetInfo.type !== "worker") return;
				await ask(sessionId, "Runtime.evaluate", { expression: "WebAssembly.Memory.prototype" });
			});
			session.on("Target.receivedMessageFromTarget", async ({ sessionId, message }) => {
				const { result } = JSON.parse(message);
				if (result?.result?.type === "number") resolve(result.result.value);
				else if (result?.objects)
					await ask(sessionId, "Runtime.callFunctionOn", {
						objectId: result.objects.objectId,
						functionDeclaration: "function () { return this.reduce((n, m) => n + m.buffer.byteLength, 0) }",
					});
				else if (result?.result?.objectId)
					await ask(sessionId, "Runtime.queryObjects", { prototypeObjectId: result.result.objectId });
			});
		});
		await session.send("Target.setAutoAttach", {
			autoAttach: true,
			waitForDebuggerOnStart: false,
			flatten: false,
		});
		return Promise.race([
			found,
			new Promise((_, fail) => setTimeout(() => fail(new Error("no worker told its memory")), 20_000)),
		]);
	}
}
