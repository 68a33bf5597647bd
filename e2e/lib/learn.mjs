// What tests of content share.
import assert from "node:assert/strict";
import { until } from "./browser.mjs";

/** @typedef {import("./browser.mjs").Browser} Browser */

/** @param {Browser} browser @param {string} at */
export const json = async (browser, at) => JSON.parse((await browser.api("GET", at)).text);

/** Sets Kolibri up. @param {Browser} browser @returns {Promise<any>} the channel that the build brings along */
export async function begin(browser) {
	await browser.open();
	await browser.mounted();
	await browser.provision();
	await browser.go("en/facility/");
	await browser.mounted(/facility/);
	const listed = await json(browser, "api/content/remotechannel/");
	return listed.find((/** @type {any} */ c) => c.name === "The pendulum");
}

/** Has the server do a task and waits for its end. @param {Browser} browser @param {object} task */
export async function run(browser, task) {
	const { status, text } = await browser.api("POST", "api/tasks/tasks/", task);
	assert.equal(status, 200, text);
	const { id } = JSON.parse(text);
	await until(async () => {
		const { status, exception, traceback } = await json(browser, `api/tasks/tasks/${id}/`);
		if (status === "FAILED") throw new Error(`failed: ${exception} ${traceback}`);
		return status === "COMPLETED";
	}, `the end of ${text}`);
}
