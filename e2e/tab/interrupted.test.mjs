// The tab ends in the middle of its work with channels, or the host falls silent: the library stays consistent,
// and another try works.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
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
		assert.equal(await consistent(browser), 9, "another try brings all of it");
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

const NEW_EDITION = `
import sqlite3, sys
name, version = sys.argv[1:]
with sqlite3.connect(name) as db:
    db.execute("UPDATE content_channelmetadata SET version = ?", [version])
    db.execute("UPDATE content_contentnode SET title = title || ' ' || ? WHERE kind <> 'topic'", [version])
`;

/** Replaces the channel of the site by another edition. @param {import("../lib/site.mjs").Site} site @param {any} channel @param {number} version */
function publish(site, { id }, version) {
	const name = path.join(site.app, `content/databases/${id}.sqlite3`);
	execFileSync("python3", ["-c", NEW_EDITION, name, String(version)]);
	fs.utimesSync(name, 0, 0); // what has not changed for long may be kept by a browser
	const listing = path.join(site.app, `api/public/v1/channels/lookup/${id}`);
	const said = JSON.parse(fs.readFileSync(listing, "utf8"));
	said[0].version = version;
	fs.writeFileSync(listing, JSON.stringify(said));
}

test(
	"the power is cut amid an update: it is one edition or the other, and the update goes on",
	inBrowser(async ({ site, browser }) => {
		const channel = await begin(browser);
		const work = {
			type: "kolibri.core.content.tasks.remoteimport",
			channel_id: channel.id,
			channel_name: channel.name,
		};
		publish(site, channel, 1);
		await run(browser, work);
		/** Which edition is here: all titles are of one. @returns {Promise<number>} */
		const edition = async () => {
			const asked = async () => (await json(browser, `api/content/channel/${channel.id}/`)).version;
			/** @type {number} */
			let version;
			/** @type {any[]} */
			let nodes;
			do {
				version = await asked();
				nodes = await json(browser, "api/content/contentnode/?available=true");
			} while ((await asked()) !== version); // an update that goes on may end between two questions
			const titles = nodes
				.filter((/** @type {any} */ n) => n.kind !== "topic")
				.map((/** @type {any} */ n) => n.title);
			assert.equal(titles.length, 9);
			for (const title of titles) assert.ok(title.endsWith(` ${version}`), `${version}: ${title}`);
			return version;
		};
		let now = await edition();
		for (const delay of [0, 50, 150, 400]) {
			publish(site, channel, now + 1);
			await browser.api("POST", TASKS, { ...work, update: true });
			await sleep(delay);
			await cutPower(browser);
			await consistent(browser);
			assert.ok([now, now + 1].includes(await edition()));
			await rest(browser);
			if ((await edition()) === now) await run(browser, { ...work, update: true });
			assert.equal(await edition(), ++now, "another try brings the edition");
			assert.equal(await consistent(browser), 9);
		}
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
		assert.equal(await consistent(browser), 9);
	}),
);
