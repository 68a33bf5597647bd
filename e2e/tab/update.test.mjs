// A browser that knows an older release meets a newer one.
import assert from "node:assert/strict";
import fs from "node:fs";
import { after, before, test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { anotherRelease, BUILD, buildId } from "../lib/site.mjs";

let old = "";
const OLD = "0ld0ld0ld0ld0ld0";
const NEW = buildId(BUILD);
before(() => {
	old = anotherRelease(OLD);
});
after(() => fs.rmSync(old, { recursive: true, force: true }));

/** The builds that a tab's parts are of. */
const builds = (page) =>
	page.evaluate(async () => {
		const frame = document.querySelector("iframe.frame");
		const ids = (doc) =>
			[...doc.scripts].map((s) => /app\/(?:shell|shim)-(.+)\.js/.exec(s.src)?.[1]).filter(Boolean);
		const worker = await new Promise((go) => {
			const { port1, port2 } = new MessageChannel();
			port1.onmessage = ({ data }) => go(data);
			navigator.serviceWorker.controller.postMessage({ t: "build" }, [port2]);
		});
		return [
			...new Set([
				...ids(document),
				...ids(/** @type {HTMLIFrameElement} */ (frame).contentDocument),
				worker,
			]),
		];
	});

/** The release of a tab's shell. The service worker is not asked: while it is, no other takes its place. */
const shellOf = (page) =>
	page.evaluate(
		() => [...document.scripts].map((s) => /app\/shell-(.+)\.js/.exec(s.src)?.[1]).filter(Boolean)[0],
	);

const updateWaits = (page) =>
	until(() => page.getByText("An update is ready").isVisible(), "the offer of the update");
const checkForUpdate = (page) =>
	page.evaluate(async () => {
		await (await navigator.serviceWorker.getRegistration()).update();
	});

test(
	"a new release waits, and takes over at the next start",
	inBrowser(async ({ site, browser }) => {
		site.deploy(old);
		await browser.open();
		await browser.mounted();
		await browser.provision();
		assert.deepEqual(await builds(browser.page), [OLD]);

		site.deploy(BUILD);
		await browser.go("en/facility/");
		await browser.mounted(/facility/);
		assert.deepEqual(await builds(browser.page), [OLD], "the open tab stays what it is");
		await checkForUpdate(browser.page);
		await updateWaits(browser.page);
		assert.deepEqual(await builds(browser.page), [OLD]);

		await browser.page.reload();
		await until(async () => (await builds(browser.page))[0] === NEW, "the new release");
		await browser.mounted(/facility/);
		assert.deepEqual(await builds(browser.page), [NEW]);
		assert.equal(await browser.whoami(), "admin", "the data have stayed");
	}),
);

test(
	"with two tabs nothing changes until the person agrees, and not over unsaved work",
	inBrowser(async ({ site, browser }) => {
		site.deploy(old);
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const second = await browser.context.newPage();
		await browser.open("en/profile/", second);
		const form = await browser.mounted(/profile/, second);
		site.deploy(BUILD);
		await checkForUpdate(browser.page);
		await updateWaits(browser.page);
		await second.reload();
		await browser.mounted(/profile/, second);
		assert.deepEqual(await builds(second), [OLD], "a reload joins the running release");

		const frame = browser.frame(second) ?? form;
		await frame.evaluate(() => {
			const input = document.body.appendChild(document.createElement("input"));
			input.id = "sentence";
			input.value = "half a sentence";
			input.dispatchEvent(new InputEvent("input", { bubbles: true }));
		});
		await browser.page.getByRole("button", { name: "Storage and backup" }).click();
		await browser.page.getByRole("button", { name: "Update now" }).click();
		await browser.page.getByText("There is unsaved work").waitFor();
		assert.deepEqual(await builds(second), [OLD]);

		await frame.evaluate(() => location.reload());
		const thrownAway = () => browser.frame(second)?.evaluate(() => !document.querySelector("#sentence"));
		await until(thrownAway, "the page without the sentence");
		await browser.mounted(/profile/, second);
		await browser.page.getByRole("button", { name: "Update now" }).click();
		for (const page of [browser.page, second]) {
			await until(async () => (await shellOf(page)) === NEW, "the new release");
			await browser.mounted(/./, page);
			assert.deepEqual(await builds(page), [NEW]);
		}
	}),
);

test(
	"a hard reload after a deployment mixes nothing",
	inBrowser(async ({ site, browser }) => {
		site.deploy(old);
		await browser.open();
		await browser.mounted();
		site.deploy(BUILD);
		await browser.hardReload();
		await until(async () => (await builds(browser.page)).length === 1, "one release");
		await browser.mounted();
		assert.equal((await builds(browser.page)).length, 1);
	}),
);

test(
	"a service worker that is slow to answer is not taken for another release's",
	inBrowser(async ({ site, browser }) => {
		// The first question gets lost, as when the browser stops a service worker; the next takes its time.
		site.before(
			"sw.js",
			`let asked = 0;
			addEventListener("message", (event) => {
				if (event.data.t !== "build" || ++asked > 2) return;
				if (asked === 1) return event.stopImmediatePropagation();
				for (const end = Date.now() + 4000; Date.now() < end; );
			});`,
		);
		await browser.open();
		await browser.mounted();
		const came = await browser.page.evaluate(
			() => performance.getEntriesByType("navigation")[0].toJSON().type,
		);
		assert.equal(came, "navigate", "the tab was not loaded again");
	}),
);
