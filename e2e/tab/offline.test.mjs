// The app anywhere on a host, and without one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";

test(
	"the app works below any path",
	inBrowser(
		async ({ site, browser }) => {
			await browser.open("en/setup/");
			await browser.mounted(/\/some\/path\/en\/setup\//);
			await browser.provision();
			await browser.go("en/facility/");
			await browser.mounted(/\/some\/path\/en\/facility\//);
			const elsewhere = browser.requests.filter((url) => url.startsWith("http") && !url.startsWith(site.url));
			assert.deepEqual(elsewhere, []);
			assert.match(
				await browser.mounted().then((f) => f.evaluate(() => document.cookie)),
				/kolibri_csrftoken=/,
			);
			await browser.page.goto(new URL("/", site.url).href);
			assert.equal(await browser.page.evaluate(() => document.cookie), "", "its cookies are its own");
		},
		{ under: "some/path/" },
	),
);

test(
	"without a network everything that was there before opens",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/facility/");
		await browser.mounted(/facility/);
		await until(() => browser.page.evaluate(isFilled), "the offline copy");
		await browser.kill();
		await site.stop();
		await browser.launch();
		await browser.open("en/facility/");
		await browser.mounted(/\/en\/facility\//);
		assert.equal(await browser.whoami(), "admin");
		await browser.go("en/profile/"); // was never opened before
		await browser.mounted(/\/en\/profile\//);
		await browser.go("fr-fr/profile/"); // nor was this language
		await browser.mounted(/\/fr-fr\/profile\//);
		assert.equal(await browser.page.evaluate(() => document.documentElement.lang), "fr-fr");
	}),
);

/** Runs in the page: the build's cache holds all that is listed for it. */
async function isFilled() {
	const names = (await caches.keys()).filter((name) => name.includes(":build:"));
	const cache = await caches.open(names[0]);
	const list = await cache.match(new URL("data/files.json", location.origin));
	return list && (await cache.keys()).length > (await list.json()).length;
}
