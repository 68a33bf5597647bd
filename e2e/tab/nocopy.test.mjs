// Channels beside the app are used without being copied, and kept when somebody asks for it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { kept } from "../lib/kept.mjs";
import { json } from "../lib/learn.mjs";

test(
	"a channel is used at once, a part of it kept, then all of it",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/learn/#/library");
		await browser.mounted(/learn/);
		const { page } = browser;
		const dialog = () => page.getByRole("button", { name: "Storage and backup" }).click();
		await dialog();
		await page.getByRole("button", { name: "Use without copying: The pendulum" }).click();
		const keepAll = page.getByRole("button", { name: /Make available offline .* MB\): The pendulum/ });
		await keepAll.waitFor();
		assert.deepEqual(await kept(browser), {});
		await page.getByRole("button", { name: "Close" }).click();

		const nodes = await json(browser, "api/content/contentnode/?available=true");
		const document = nodes.find((/** @type {any} */ n) => n.kind === "document");
		const video = nodes.find((/** @type {any} */ n) => n.kind === "video");
		const url = (/** @type {any} */ node) => {
			const file = node.files.find((/** @type {any} */ f) => !f.supplementary);
			return file.storage_url;
		};
		const opens = (/** @type {any} */ node) =>
			browser.frame()?.evaluate(async (at) => {
				const answer = await fetch(at).catch(() => null);
				return answer?.ok && (await answer.arrayBuffer()).byteLength;
			}, url(node));
		assert.ok(await opens(document), "what was not copied is fetched when it is opened");

		await browser.go(`en/learn/#/topics/c/${document.id}`);
		await until(() => page.url().includes(document.id), "the address");
		await dialog();
		const part = page.getByRole("button", { name: `: ${document.title}` });
		assert.match((await part.textContent()) ?? "", /^Make available offline \(.*B\)$/);
		await part.click();
		await page.getByText(`What is open now: “${document.title}” is on this device.`).waitFor();
		const some = await kept(browser);
		assert.ok(url(document).split("/").at(-1) in some, Object.keys(some).join());

		await site.stop();
		assert.ok(await opens(document), "what is kept opens without a network");
		assert.ok(!(await opens(video)), "what is not kept does not");
		await site.start();

		await keepAll.click();
		await page.getByText("The pendulum is on this device.").waitFor();
		await site.stop();
		for (const node of nodes) if (node.kind !== "topic") assert.ok(await opens(node), node.title);
	}),
);
