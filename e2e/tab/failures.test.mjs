// What can go wrong at the start, and what a person can do about it.
import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";

/** @param {import("../lib/browser.mjs").Browser} browser @returns {Promise<string>} */
const alertOf = (browser) =>
	until(() => browser.page.evaluate(() => document.querySelector("[role=alert]")?.textContent), "an alert");
const tryAgain = (browser) => browser.page.getByRole("button", { name: "Try again" }).click();

test(
	"a server program that is cut short",
	inBrowser(async ({ site, browser }) => {
		const whole = fs.readFileSync(site.module);
		fs.writeFileSync(site.module, whole.subarray(0, whole.length / 2));
		await browser.open();
		assert.match(await alertOf(browser), /not loaded completely/i);
		await browser.page.getByText("Report", { exact: true }).click();
		assert.match(await browser.page.locator("pre").textContent(), /damaged: .*\n.*\n.*Chrome/s);
		fs.writeFileSync(site.module, whole);
		await tryAgain(browser);
		await browser.mounted();
	}),
);

test(
	"a server program that is not there",
	inBrowser(async ({ site, browser }) => {
		const { module } = site;
		fs.renameSync(module, `${module}.away`);
		await browser.open();
		assert.match(await alertOf(browser), /could not be loaded/i);
		fs.renameSync(`${module}.away`, module);
		await tryAgain(browser);
		await browser.mounted();
	}),
);

const NO_FILES = `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("no", "SecurityError"));`;
const NO_INDEXEDDB = `IDBFactory.prototype.open = () => { throw new DOMException("no", "SecurityError"); };`;

test(
	"a browser that keeps nothing",
	inBrowser(async ({ site, browser }) => {
		site.beforeWorker(NO_FILES + NO_INDEXEDDB);
		await browser.open();
		assert.match(await alertOf(browser), /nowhere to save/i);
	}),
);

test(
	"a browser without a private file system",
	inBrowser(async ({ site, browser }) => {
		site.beforeWorker(NO_FILES);
		await browser.open();
		await browser.mounted(/\/en\/setup\//);
		await browser.provision();
		await browser.page.reload();
		await browser.mounted(/\/en\/(?!setup)/);
		assert.equal(await browser.whoami(), "admin");
		await browser.kill();
		await browser.launch();
		await browser.open("en/facility/");
		await browser.mounted(/facility/);
		assert.equal(await browser.whoami(), "admin");
	}),
);

test(
	"a damaged database is kept, can be saved, and goes only when told to",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.page.goto(`${browser.site.url}favicon.ico`);
		await until(() => browser.page.evaluate(damageDatabase), "the database is free");
		await browser.open();
		assert.match(await alertOf(browser), /data is damaged/i);
		const download = browser.page.waitForEvent("download");
		await browser.page.getByRole("button", { name: "Download a copy" }).click();
		const saved = await (await download).path();
		assert.ok(fs.readFileSync(saved).includes("ruined"), "the copy has the file as it is");

		await browser.page.getByRole("button", { name: "Start anew" }).click();
		const button = browser.page.getByRole("button", { name: "Delete everything" });
		assert.equal(await button.isDisabled(), true);
		await browser.page.getByLabel(/Type/).fill("delete");
		await button.click();
		await browser.mounted(/\/en\/setup\//);
	}),
);

/** Runs in a page of the origin without a worker that holds the file. */
async function damageDatabase() {
	const root = await navigator.storage.getDirectory();
	const home = await root.getDirectoryHandle("kolibri-home");
	for (const name of ["db.sqlite3-wal", "db.sqlite3-journal"]) await home.removeEntry(name).catch(() => {});
	const file = await home.getFileHandle("db.sqlite3");
	const writable = await file.createWritable();
	await writable.write("ruined ".repeat(10_000));
	await writable.close();
	return true;
}

test(
	"the home is saved, replaced by a backup, and deleted",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const open = () => browser.page.getByRole("button", { name: "Storage and backup" }).click();
		await open();
		const download = browser.page.waitForEvent("download");
		await browser.page.getByRole("button", { name: "Download a backup", exact: true }).click();
		const backup = await download;
		assert.match(backup.suggestedFilename(), /^kolibri-home-\d{4}-\d\d-\d\d\.zip$/);
		const file = await backup.path();

		await browser.page
			.getByLabel("Backup file")
			.setInputFiles({ name: "x.zip", mimeType: "application/zip", buffer: Buffer.from("no zip") });
		await browser.page.getByRole("button", { name: "Replace everything" }).click();
		await browser.page.getByText("This file cannot be used").waitFor();
		await browser.page.getByRole("button", { name: "Close" }).click();

		// What happens after the backup is undone by it.
		assert.equal(
			(await browser.api("POST", "api/auth/classroom/", { name: "Later", parent: browser.facility })).status,
			201,
		);
		await open();
		await browser.page.getByLabel("Backup file").setInputFiles(file);
		await browser.page.getByRole("button", { name: "Replace everything" }).click();
		await browser.page.getByText("Kolibri starts with the restored data").waitFor();
		await browser.page.getByRole("button", { name: "Close" }).click();
		await browser.mounted(/\/en\/(?!setup)/);
		await until(async () => (await browser.signIn()).status === 200, "the restored user");
		assert.equal((await browser.api("GET", "api/auth/classroom/")).text, "[]");

		await open();
		await browser.page.getByRole("button", { name: "Delete all data" }).click();
		await browser.page.getByLabel(/Type/).fill("delete");
		await browser.page.getByRole("button", { name: "Delete everything" }).click();
		await browser.mounted(/\/en\/setup\//);
	}),
);
