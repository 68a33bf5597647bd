// What tests of content share.
import assert from "node:assert/strict";
import { until } from "./browser.mjs";

/** @typedef {import("./browser.mjs").Browser} Browser */

/** @param {Browser} browser @param {string} at */
export const json = async (browser, at) => JSON.parse((await browser.api("GET", at)).text);

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
