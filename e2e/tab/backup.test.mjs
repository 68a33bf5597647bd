// A whole home as one file: with its channels, it brings them back where nothing is left.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { json, run } from "../lib/learn.mjs";

/** @typedef {import("../lib/browser.mjs").Browser} Browser */

/** The paths and sizes of the content that the device keeps. @param {Browser} browser */
const kept = (browser) =>
	browser.page.evaluate(async () => {
		/** @type {Record<string, number>} */
		const found = {};
		/** @param {any} folder @param {string} path */
		const walk = async (folder, path) => {
			for await (const [name, handle] of folder.entries()) {
				if (handle.kind === "directory") await walk(handle, `${path}${name}/`);
				else found[path + name] = (await handle.getFile()).size;
			}
		};
		const home = await (await navigator.storage.getDirectory()).getDirectoryHandle("kolibri-home");
		const content = await home.getDirectoryHandle("content").catch(() => null);
		if (content) await walk(content, "");
		return found;
	});

const restored = (/** @type {Browser} */ browser, /** @type {any} */ file) =>
	browser.page
		.getByLabel("Backup file")
		.setInputFiles(file)
		.then(() => browser.page.getByRole("button", { name: "Replace everything" }).click());

test(
	"a backup with channels brings them back",
	inBrowser(async ({ browser }) => {
		const { page } = browser;
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/device/#/content/channels");
		await browser.mounted(/device/);
		const [channel] = await json(browser, "api/content/remotechannel/");
		await run(browser, {
			type: "kolibri.core.content.tasks.remoteimport",
			channel_id: channel.id,
			channel_name: channel.name,
		});
		const before = await kept(browser);
		assert.ok(Object.keys(before).length > 8, JSON.stringify(before));

		const open = () => page.getByRole("button", { name: "Storage and backup" }).click();
		await open();
		const download = page.waitForEvent("download");
		await page.getByRole("button", { name: "Download a backup with channels" }).click();
		const file = await (await download).path();

		await page.getByRole("button", { name: "Delete all data" }).click();
		await page.getByLabel(/Type/).fill("delete");
		await page.getByRole("button", { name: "Delete everything" }).click();
		await browser.mounted(/\/en\/setup\//);
		assert.deepEqual(await kept(browser), {});

		// A file that was altered on its way is noticed, and nothing of the backup stays.
		const bytes = fs.readFileSync(file);
		const media = bytes.indexOf("content/storage/");
		bytes[media + 200] ^= 1;
		await open();
		await restored(browser, { name: "x.zip", mimeType: "application/zip", buffer: bytes });
		await page.getByText("A file of a channel in this backup is damaged").waitFor();
		assert.deepEqual(await kept(browser), {});

		await restored(browser, file);
		await page.getByText("Kolibri starts with the restored data").waitFor();
		await page.getByRole("button", { name: "Close" }).click();
		await browser.mounted(/\/en\/(?!setup)/);
		await until(async () => (await browser.signIn()).status === 200, "the restored user");
		assert.deepEqual(await kept(browser), before);
		const nodes = await json(browser, `api/content/contentnode/?descendant_of=${channel.id}&available=true`);
		assert.ok(nodes.length >= 8);
	}),
);
