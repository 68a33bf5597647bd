// The first visit, and what a page in the tab can rely on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inBrowser } from "./lib/fixture.mjs";

test(
	"a first visit leads to the wizard, all requests stay on the origin",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		const frame = await browser.mounted(/\/en\/setup\//);
		for (const name of ["kolibri:module", "kolibri:database", "kolibri:answering"]) {
			assert.ok(Number(await browser.mark(name)) > 0, `${name} is on the page's timeline`);
		}
		const elsewhere = browser.requests.filter(
			(url) => /^(https?|wss?):/.test(url) && !url.startsWith(site.url),
		);
		assert.deepEqual(elsewhere, []);
		const viaNetwork = await frame.evaluate(() =>
			performance
				.getEntriesByType("resource")
				.map((e) => e.name)
				.filter((name) => name.includes("/api/")),
		);
		assert.deepEqual(viaNetwork, [], "Kolibri's own client sends by the port, not by XMLHttpRequest");
		const asked = await frame.evaluate(async () => {
			const scripts = [...document.scripts].map((s) => s.src).filter(Boolean);
			return Promise.all(scripts.map(async (src) => (await fetch(src)).headers.get("Cache-Control")));
		});
		assert.deepEqual(
			asked.filter((how) => !how?.includes("immutable")),
			[],
			"the next page takes its scripts from memory",
		);
		assert.equal(await frame.evaluate(() => document.cookie.includes("kolibri_csrftoken=")), true);
		assert.deepEqual(
			browser.errors.filter((e) => !/status of 4\d\d/.test(e)),
			[],
		);
	}),
);

test(
	"a person signs in, reloads, and is still there after the browser was killed",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		assert.equal(await browser.whoami(), "admin");
		await browser.page.reload();
		await browser.mounted();
		assert.equal(await browser.whoami(), "admin");
		await browser.kill();
		await browser.launch();
		await browser.open();
		await browser.mounted(/\/en\/(?!setup|auth)/);
		assert.equal(await browser.whoami(), "admin");
	}),
);
