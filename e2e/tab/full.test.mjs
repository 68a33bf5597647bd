// The browser allows no more bytes: what was acknowledged stays, the rest is refused in words, and goes
// on as soon as there is space.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { kept } from "../lib/kept.mjs";
import { begin, json } from "../lib/learn.mjs";

/** @typedef {import("../lib/browser.mjs").Browser} Browser */

/** More than the journal grows before it is written from its beginning again. */
const WRITES = 1000;

/**
 * What leaves this site so many bytes more than it uses, or as many as the browser gives. The browser
 * forgets a limit with the session that has set it.
 * @param {Browser} browser
 */
async function limiter({ context, page, site }) {
	const session = await /** @type {import("playwright-core").BrowserContext} */ (context).newCDPSession(page);
	const { origin } = new URL(site.url);
	return async (/** @type {number | null} */ room) => {
		const { usage } = await session.send("Storage.getUsageAndQuota", { origin });
		const quotaSize = room === null ? undefined : usage + room;
		await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize });
	};
}

/** @param {Browser} browser @param {string} name */
const addClass = (browser, name) =>
	browser.api("POST", "api/auth/classroom/", { name, parent: browser.facility });

/** @param {Browser} browser @returns {Promise<string[]>} */
const classes = async (browser) =>
	(await json(browser, "api/auth/classroom/")).map((/** @type {any} */ c) => c.name).toSorted();

test(
	"a full disk amid writes loses nothing that was acknowledged",
	inBrowser(async ({ browser }) => {
		await begin(browser);
		const leave = await limiter(browser);
		await leave(0);
		const saved = [];
		let refused;
		for (let n = 0; n < WRITES && !refused; n++) {
			const name = `Class ${String(n).padStart(4, "0")} ${"x".repeat(80)}`;
			const answer = await addClass(browser, name);
			if (answer.status === 201) saved.push(name);
			else refused = answer;
		}
		assert.equal(refused?.status, 507, refused?.text);
		const [{ id, metadata }] = JSON.parse(refused.text);
		assert.equal(id, "STORAGE_FULL");
		assert.match(metadata.message, /free some space/);
		await browser.page.getByText("This device is full").waitFor();
		assert.deepEqual(await classes(browser), saved, "reading goes on");

		await leave(null);
		assert.equal((await addClass(browser, "Later")).status, 201, "writing goes on");
		await browser.kill();
		await browser.launch();
		await browser.open("en/facility/");
		await browser.mounted(/facility/);
		assert.deepEqual(await classes(browser), [...saved, "Later"]);
	}),
);

/** @param {Browser} browser @param {any} channel @returns {Promise<any>} the job at its end, or the refusal */
async function bring(browser, { id, name }) {
	const answer = await browser.api("POST", "api/tasks/tasks/", {
		type: "kolibri.core.content.tasks.remoteimport",
		channel_id: id,
		channel_name: name,
	});
	if (answer.status !== 200) return { status: answer.status, text: answer.text };
	const { id: job } = JSON.parse(answer.text);
	return until(async () => {
		const state = await json(browser, `api/tasks/tasks/${job}/`);
		return /COMPLETED|FAILED/.test(state.status) && state;
	}, "the end of the import");
}

test(
	"a channel that is too large for the quota fails in words, and comes when there is space",
	inBrowser(async ({ browser }) => {
		const channel = await begin(browser);
		const leave = await limiter(browser);
		await leave(300_000);
		const failed = await bring(browser, channel);
		if (failed.status !== 507) {
			assert.equal(failed.status, "FAILED");
			assert.equal(failed.exception, "InsufficientStorageSpaceError", failed.traceback);
		}
		const nodes = await json(browser, "api/content/contentnode/?available=true");
		const there = await kept(browser);
		for (const { kind, files } of nodes) {
			if (kind === "topic") continue;
			for (const { storage_url, file_size } of files.filter((/** @type {any} */ f) => f.available)) {
				assert.equal(there[storage_url.split("/").at(-1)], file_size, "what is said to be here is here");
			}
		}
		await leave(null);
		assert.equal((await bring(browser, channel)).status, "COMPLETED");
		const whole = await json(browser, "api/content/contentnode/?available=true");
		assert.equal(whole.filter((/** @type {any} */ n) => n.kind !== "topic").length, 9);
	}),
);
