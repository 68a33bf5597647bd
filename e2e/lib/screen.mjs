// What a person does on Kolibri's screens: looks for something, presses it, fills it in.
import assert from "node:assert/strict";
import fs from "node:fs";
import { PATIENCE, sleep, until } from "./browser.mjs";

/** @typedef {import("./browser.mjs").Browser} Browser */
/** @typedef {import("playwright-core").Locator} Locator */
/** @typedef {string | RegExp} Words */

const plain = (/** @type {string} */ text) => text.replace(/\s+/g, " ").trim();
const says = (/** @type {string} */ text, /** @type {Words} */ what) =>
	typeof what === "string" ? text.includes(what) : what.test(text);

export class Screen {
	/** @param {Browser} browser */
	constructor(browser) {
		this.browser = browser;
		/** @type {import("playwright-core").Download[]} */
		this.downloads = [];
		browser.page.on("download", (file) => this.downloads.push(file));
	}

	/** Kolibri's frame as it is now; a page change may make another. */
	get frame() {
		const frame = this.browser.frame();
		if (!frame) throw new Error("there is no frame");
		return frame;
	}

	/** Loads a page of Kolibri's, also when it is the one that is shown. @param {string} at */
	async open(at) {
		const url = this.browser.site.url + at;
		await until(async () => {
			await this.frame.evaluate((to) => {
				Object.assign(window, { leaving: true });
				const there = new URL(to);
				if (there.pathname + there.search !== location.pathname + location.search) return location.assign(to);
				history.replaceState(history.state, "", to);
				return location.reload();
			}, url);
			return true;
		}, `leaving for ${at}`);
		return this.mounted();
	}

	/** Waits for a page that has nothing to do with the one left. */
	mounted() {
		return until(
			() =>
				this.frame.evaluate(
					() =>
						!("leaving" in window) &&
						document.readyState === "complete" &&
						"kolibriCoreAppGlobal" in window &&
						!document.querySelector("rootvue"),
				),
			"Kolibri's page",
		);
	}

	/** @param {RegExp} address */
	at(address) {
		return until(
			async () => address.test(this.frame.url()) && (await this.mounted()),
			`the address ${address}`,
		);
	}

	/** What can be read, without the spaces that nobody sees. @param {Locator} [part] */
	async text(part = this.frame.locator("body")) {
		return plain((await part.allInnerTexts()).join(" "));
	}

	/** Waits for words. @param {Words} what @param {Locator} [part] */
	see(what, part, patience = PATIENCE) {
		let last = "";
		return until(
			async () => {
				last = await this.text(part);
				return says(last, what);
			},
			`the words ${what}`,
			patience,
		).catch((error) => {
			throw new Error(`${error.message}; seen: ${last.slice(0, 1500)}`);
		});
	}

	/** Waits until words are gone. @param {Words} what @param {Locator} [part] */
	gone(what, part) {
		return until(async () => !says(await this.text(part), what), `the end of the words ${what}`);
	}

	/** @param {Words} name */
	button(name) {
		return this.frame.getByRole("button", { name, exact: typeof name === "string" });
	}

	/** @param {Words} name */
	link(name) {
		return this.frame.getByRole("link", { name });
	}

	/** The row of a table that says something. @param {Words} words */
	row(words) {
		return this.frame.locator("tbody tr", { hasText: words }).first();
	}

	/** The dialogue, or the panel at the side. */
	get dialog() {
		return this.frame.locator("[role=dialog]:visible").last();
	}

	/** Presses a button by its name, or a part of the page. @param {Words | Locator} what */
	async press(what) {
		const part = typeof what === "string" || what instanceof RegExp ? this.button(what) : what;
		await part.first().click();
	}

	/** Presses what opens a dialogue, again if the page was not ready. @param {Words | Locator} what */
	async opens(what) {
		await until(async () => {
			if (await this.dialog.count()) return true;
			await this.press(what);
			await this.dialog.waitFor({ timeout: 3000 }).catch(() => {});
			return this.dialog.count();
		}, `the dialogue of ${what}`);
		return this.dialog;
	}

	/** Presses a dialogue's button and waits for its end. @param {Words} name */
	async confirm(name) {
		const dialog = this.dialog;
		await dialog.getByRole("button", { name, exact: typeof name === "string" }).click();
		await until(
			async () => !(await this.frame.locator("[role=dialog]:visible").count()),
			"the dialogue's end",
		);
	}

	/** @param {Words} label @param {string} value */
	async fill(label, value) {
		await this.frame
			.getByLabel(label, { exact: typeof label === "string" })
			.first()
			.fill(value);
	}

	/** Ticks a box, which Kolibri hides behind a drawing. @param {Locator} box */
	async tick(box, on = true) {
		const one = box.first();
		await until(
			async () => {
				if ((await one.isChecked()) === on) return true;
				await one.click({ force: true });
				return (await one.isChecked()) === on;
			},
			`the box ${on ? "ticked" : "empty"}`,
		);
	}

	/** Chooses from the menu of a button. @param {Words | Locator} button @param {Words} option */
	async menu(button, option) {
		const item = this.frame.locator(".ui-menu-option:visible, [role=menuitem]:visible", { hasText: option });
		await until(async () => {
			if (await item.count()) return true;
			await this.press(button);
			await item.first().waitFor({ timeout: 3000 });
			return true;
		}, `the menu with ${option}`);
		await item.first().click();
	}

	/** Chooses from a box with a list. @param {Words} label @param {Words} option */
	async select(label, option) {
		const box = this.frame.locator(".ui-select:visible", { hasText: label }).first();
		await box.locator(".ui-select-display").first().click();
		await this.frame.locator(".ui-select-option:visible", { hasText: option }).first().click();
	}

	/** The file that something saves, as text. @param {() => Promise<unknown>} act */
	async download(act) {
		const before = this.downloads.length;
		await act();
		const file = await until(() => this.downloads[before], "the file");
		return { name: file.suggestedFilename(), text: fs.readFileSync(await file.path(), "utf8") };
	}

	/** A request as Kolibri's page sends it; fails unless it succeeds. @param {string} method @param {string} at @param {unknown} [body] */
	async call(method, at, body) {
		const { status, text } = await this.browser.api(method, at, body);
		assert.ok(status >= 200 && status < 300, `${method} ${at}: ${status} ${text}`);
		return text ? JSON.parse(text) : undefined;
	}

	/** @param {string} at */
	get(at) {
		return this.call("GET", at);
	}

	/** Waits until the server says something. @param {string} at @param {(answer: any) => unknown} test */
	async told(at, test) {
		/** @type {any} */
		let last;
		return until(async () => {
			last = await this.get(at);
			return test(last);
		}, `what ${at} says`).catch((error) => {
			throw new Error(`${error.message}; it says ${JSON.stringify(last)?.slice(0, 1000)}`);
		});
	}

	/** Lets what a page does after an action come to its end. */
	settle() {
		return sleep(300);
	}
}
