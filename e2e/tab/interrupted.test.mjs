// The tab ends in the middle of its work with channels, or the host falls silent: the library stays consistent,
// and another try works.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { kept } from "../lib/kept.mjs";
import { begin, json, run } from "../lib/learn.mjs";

/** @typedef {import("../lib/browser.mjs").Browser} Browser */

const TASKS = "api/tasks/tasks/";

/** @param {Browser} browser @param {string} type @param {any} channel */
const task = (browser, type, { id, name }) =>
	browser.api("POST", TASKS, {
		type: `kolibri.core.content.tasks.${type}`,
		channel_id: id,
		channel_name: name,
	});

/** What can be opened has its files, whole. @param {Browser} browser */
async function consistent(browser) {
	const there = await kept(browser);
	const nodes = await json(browser, "api/content/contentnode/?available=true");
	const resources = nodes.filter((/** @type {any} */ n) => n.kind !== "topic");
	for (const { title, files } of resources) {
		const own = files.filter((/** @type {any} */ f) => !f.supplementary && f.available);
		assert.ok(own.length, title);
		for (const { storage_url, file_size } of own) {
			assert.equal(there[storage_url.split("/").at(-1)], file_size, `a file of ${title}`);
		}
	}
	return resources.length;
}

/** Kills the browser and comes back. @param {Browser} browser */
async function cutPower(browser) {
	await browser.kill();
	browser.site.process?.kill("SIGCONT");
	await browser.launch();
	await browser.open("en/facility/");
	await browser.mounted(/facility/);
	assert.equal(await browser.whoami(), "admin");
}

/** Nothing is at work any more. @param {Browser} browser */
const rest = (browser) =>
	until(async () => {
		const jobs = await json(browser, `${TASKS}?queue=content`);
		return jobs.every((/** @type {any} */ j) => /COMPLETED|FAILED|CANCELED/.test(j.status));
	}, "the end of all tasks");

test(
	"the power is cut amid an import and amid a deletion",
	inBrowser(async ({ site, browser }) => {
		const channel = await begin(browser);
		for (const delay of [0, 400]) {
			await task(browser, "remoteimport", channel);
			await sleep(delay);
			site.process?.kill("SIGSTOP"); // the rest of the files is not going to come
			await sleep(300);
			await cutPower(browser);
			await consistent(browser);
			await rest(browser);
			await consistent(browser);
		}
		await run(browser, {
			type: "kolibri.core.content.tasks.remoteimport",
			channel_id: channel.id,
			channel_name: channel.name,
		});
		assert.equal(await consistent(browser), 8, "another try brings all of it");
		await task(browser, "deletechannel", channel);
		await cutPower(browser);
		await consistent(browser);
		await rest(browser);
		if ((await json(browser, "api/content/channel/")).length) {
			await run(browser, {
				type: "kolibri.core.content.tasks.deletechannel",
				channel_id: channel.id,
				channel_name: channel.name,
			});
		}
		assert.equal(await consistent(browser), 0);
		assert.deepEqual(await kept(browser), {}, "no file is left behind");
	}),
);

test(
	"an import from a host that has fallen silent is cancelled, the page answers meanwhile",
	inBrowser(async ({ site, browser }) => {
		const channel = await begin(browser);
		const started = await task(browser, "remoteimport", channel);
		site.process?.kill("SIGSTOP");
		const { id } = JSON.parse(started.text);
		await sleep(500);
		assert.equal((await browser.api("GET", "api/auth/facility/")).status, 200);
		await browser.api("POST", `${TASKS}${id}/cancel/`, {});
		const end = await until(async () => {
			const { status } = await json(browser, `${TASKS}${id}/`);
			return /CANCELED|COMPLETED/.test(status) && status;
		}, "the cancellation");
		site.process?.kill("SIGCONT");
		await consistent(browser);
		if (end === "CANCELED") {
			await run(browser, {
				type: "kolibri.core.content.tasks.remoteimport",
				channel_id: channel.id,
				channel_name: channel.name,
			});
		}
		assert.equal(await consistent(browser), 8);
	}),
);
