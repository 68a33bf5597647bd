// Folders that a person chooses in the browser are drives.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { json, run } from "../lib/learn.mjs";

/** The files of the build's channel, as on a stick. @param {import("../lib/site.mjs").Site} site */
const onStick = (site) =>
	["databases", "storage"]
		.flatMap((folder) =>
			fs.readdirSync(path.join(site.app, "content", folder), { recursive: true, withFileTypes: true }),
		)
		.filter((entry) => entry.isFile())
		.map((entry) => path.relative(site.app, path.join(entry.parentPath, entry.name)));

/**
 * Runs in the shell: nobody can press a picker's buttons, so it gives a folder of the private file system.
 * @param {[path: string, base64: string][]} files
 */
async function answerPicker(files) {
	const root = await navigator.storage.getDirectory();
	const chosen = await root.getDirectoryHandle("stick", { create: true });
	for (const [file, base64] of files) {
		let folder = await chosen.getDirectoryHandle("KOLIBRI_DATA", { create: true });
		const parts = file.split("/");
		for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
		const handle = await folder.getFileHandle(/** @type {string} */ (parts.at(-1)), { create: true });
		const stream = await handle.createWritable();
		await stream.write(Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
		await stream.close();
	}
	const empty = await root.getDirectoryHandle("empty", { create: true });
	const answers = [chosen, empty];
	Object.assign(window, { showDirectoryPicker: async () => answers.shift() });
}

test(
	"a channel is imported from a chosen folder, and exported to another",
	inBrowser(async ({ site, browser }) => {
		const files = onStick(site);
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/facility/");
		await browser.mounted(/facility/);
		await browser.page.evaluate(
			answerPicker,
			files.map(
				(file) =>
					/** @type {[string, string]} */ ([file, fs.readFileSync(path.join(site.app, file), "base64")]),
			),
		);
		await browser.page.getByRole("button", { name: "Storage and backup" }).click();
		const choose = browser.page.getByRole("button", { name: "Choose a folder…" });
		await choose.click();
		await browser.page.getByRole("listitem").filter({ hasText: "stick" }).waitFor();
		await choose.click();
		await browser.page.getByRole("listitem").filter({ hasText: "empty" }).waitFor();
		const [stick, empty] = await until(async () => {
			const list = await json(browser, "api/device/driveinfo/");
			return list.length === 2 && list;
		}, "the drives");
		assert.deepEqual(
			stick.metadata.channels.map((/** @type {any} */ c) => c.name),
			["The pendulum"],
		);
		assert.deepEqual(empty.metadata.channels, []);
		const [{ id: channel_id, name: channel_name }] = stick.metadata.channels;
		await run(browser, {
			type: "kolibri.core.content.tasks.diskimport",
			channel_id,
			channel_name,
			drive_id: stick.id,
		});
		const { available } = await json(browser, `api/content/channel/${channel_id}/`);
		assert.equal(available, true);
		await run(browser, {
			type: "kolibri.core.content.tasks.diskexport",
			channel_id,
			channel_name,
			drive_id: empty.id,
		});
		const written = await browser.page.evaluate(async (files) => {
			const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("empty");
			const sizes = [];
			for (const file of files) {
				let folder = await root.getDirectoryHandle("KOLIBRI_DATA");
				const parts = file.split("/");
				for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
				sizes.push((await (await folder.getFileHandle(/** @type {string} */ (parts.at(-1)))).getFile()).size);
			}
			return sizes;
		}, files);
		const kept = files.map((file) => fs.statSync(path.join(site.app, file)).size);
		assert.deepEqual(written, kept);
		const listed = await json(browser, "api/device/driveinfo/");
		assert.equal(listed[1].metadata.channels[0].name, "The pendulum", "the export is a drive like the first");
	}),
);

test(
	"without a picker a folder is uploaded as a drive; a folder may be dropped",
	inBrowser(async ({ site, browser }) => {
		const stick = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-stick-"));
		for (const file of onStick(site)) {
			const to = path.join(stick, "KOLIBRI_DATA", file);
			fs.mkdirSync(path.dirname(to), { recursive: true });
			fs.copyFileSync(path.join(site.app, file), to);
		}
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/facility/");
		await browser.mounted(/facility/);
		await browser.page.evaluate(() => Reflect.deleteProperty(window, "showDirectoryPicker"));
		await browser.page.getByRole("button", { name: "Storage and backup" }).click();
		await browser.page.getByLabel("Choose a folder:").setInputFiles(stick);
		await browser.page
			.getByRole("listitem")
			.filter({ hasText: path.basename(stick) })
			.waitFor();
		const [drive] = await until(async () => {
			const list = await json(browser, "api/device/driveinfo/");
			return list.length === 1 && list;
		}, "the drive");
		assert.equal(drive.writable, false);
		const [{ id: channel_id, name: channel_name }] = drive.metadata.channels;
		const type = "kolibri.core.content.tasks.diskimport";
		await run(browser, { type, channel_id, channel_name, drive_id: drive.id });
		assert.equal((await json(browser, `api/content/channel/${channel_id}/`)).available, true);
		fs.rmSync(stick, { recursive: true });

		await browser.page.evaluate(async () => {
			const root = await navigator.storage.getDirectory();
			const handle = await root.getDirectoryHandle("dropped", { create: true });
			const event = new Event("drop", { bubbles: true, cancelable: true });
			const items = [{ getAsFileSystemHandle: async () => handle }];
			Object.defineProperty(event, "dataTransfer", { value: { items } });
			document.querySelector(".drives")?.dispatchEvent(event);
		});
		await browser.page.getByRole("listitem").filter({ hasText: "dropped" }).waitFor();
		await until(
			async () => (await json(browser, "api/device/driveinfo/")).length === 2,
			"the dropped folder",
		);
	}),
);
