// Content in a browser without a private file system.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inBrowser } from "../lib/fixture.mjs";
import { begin, json, run } from "../lib/learn.mjs";

test(
	"a channel is imported, opened without a network, and deleted",
	inBrowser(async ({ site, browser }) => {
		site.beforeWorker(
			`StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("no", "SecurityError"));`,
		);
		const { id: channel_id, name: channel_name } = await begin(browser);
		await run(browser, { type: "kolibri.core.content.tasks.remoteimport", channel_id, channel_name });
		const nodes = await json(browser, "api/content/contentnode/?available=true");
		const files = nodes
			.flatMap((/** @type {any} */ n) => n.files)
			.filter((/** @type {any} */ f) => f.available);
		assert.ok(files.length > 8, String(files.length));
		await browser.kill();
		await site.stop();
		await browser.launch();
		await browser.open("en/facility/");
		await browser.mounted(/facility/);
		const get = (/** @type {string} */ url, /** @type {Record<string, string>} */ headers = {}) =>
			browser.frame()?.evaluate(
				async ([url, headers]) => {
					const answer = await fetch(url, { headers }).catch(() => null);
					const bytes = answer ? new Uint8Array(await answer.arrayBuffer()) : null;
					const range = answer?.headers.get("Content-Range");
					return {
						status: answer?.status,
						size: bytes?.length,
						start: [...(bytes ?? []).slice(0, 8)],
						range,
					};
				},
				/** @type {const} */ ([url, headers]),
			);
		for (const { storage_url, file_size } of files) {
			const whole = await get(storage_url);
			assert.deepEqual([whole?.status, whole?.size], [200, file_size], storage_url);
		}
		const large = files.find((/** @type {any} */ f) => f.file_size > 200_000);
		const whole = await get(large.storage_url);
		const part = await get(large.storage_url, { Range: "bytes=0-7" });
		assert.deepEqual(part?.start, whole?.start);
		const across = await get(large.storage_url, { Range: "bytes=65530-65545" });
		assert.deepEqual(
			[across?.status, across?.size, across?.range],
			[206, 16, `bytes 65530-65545/${large.file_size}`],
		);
		await run(browser, { type: "kolibri.core.content.tasks.deletechannel", channel_id, channel_name });
		assert.equal((await get(large.storage_url))?.status, undefined, "it is gone, and there is no network");
	}),
);
