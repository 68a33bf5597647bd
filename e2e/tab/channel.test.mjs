// The channel that every build brings along: listed, imported, and each kind of resource opened, without a
// network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { json, run } from "../lib/learn.mjs";

/** @typedef {import("../lib/browser.mjs").Browser} Browser */

/** Opens a resource in Learn. @param {Browser} browser @param {string} id */
async function open(browser, id) {
	await browser.go("en/profile/");
	await browser.mounted(/profile/);
	await browser.go(`en/learn/#/topics/c/${id}`);
	return browser.mounted(/topics\/c/);
}

/** The text of all frames inside Kolibri's. @param {Browser} browser */
async function inside(browser) {
	const texts = browser.page
		.frames()
		.map((f) => f.evaluate(() => document.body?.textContent).catch(() => ""));
	return (await Promise.all(texts)).join("\n");
}

/** What is to be seen of each kind. @type {Record<string, (browser: Browser, frame: any) => Promise<any>>} */
const SEEN = {
	"A pendulum swings": async (_, frame) => {
		const video = frame.locator("video").first();
		await video.waitFor({ state: "attached" });
		await video.evaluate((/** @type {any} */ v) => {
			v.muted = true;
			return v.play();
		});
		await until(() => video.evaluate((/** @type {any} */ v) => v.currentTime > 1), "the film running");
		assert.equal(await video.evaluate((/** @type {any} */ v) => v.videoWidth), 256);
		await video.evaluate((/** @type {any} */ v) => {
			v.currentTime = 16;
		});
		await until(
			() => video.evaluate((/** @type {any} */ v) => !v.seeking && v.currentTime >= 16),
			"the jump",
		);
		const cues = await frame.evaluate(async () => {
			const vtt = performance.getEntriesByType("resource").find(({ name }) => name.endsWith(".vtt"));
			const track = document.createElement("track");
			const own = document.createElement("video");
			track.src = vtt?.name ?? "";
			own.append(track);
			document.body.append(own);
			track.track.mode = "hidden";
			await new Promise((go) => track.addEventListener("load", go));
			return track.track.cues?.length;
		});
		assert.equal(cues, 4);
	},
	"Slower and slower": async (_, frame) => {
		const audio = frame.locator("audio").first();
		await audio.waitFor({ state: "attached" });
		await audio.evaluate((/** @type {any} */ a) => {
			a.muted = true;
			return a.play();
		});
		await until(() => audio.evaluate((/** @type {any} */ a) => a.currentTime > 1), "the tune running");
	},
	"An experiment with a spoon": async (_, frame) => {
		const text = () => frame.evaluate(() => document.body.textContent ?? "");
		await until(async () => /hangs on a string/.test(await text()), "the page's text");
		await until(
			() =>
				frame.locator("canvas").evaluateAll((/** @type {HTMLCanvasElement[]} */ all) =>
					all.some((c) => {
						const { data } = /** @type {any} */ (c.getContext("2d")).getImageData(0, 0, c.width, c.height);
						return data.some((/** @type {number} */ v, /** @type {number} */ i) => v !== data[i % 4]);
					}),
				),
			"ink on the page",
		);
	},
	"The lamp of Pisa": (browser) =>
		until(async () => /a student of nineteen/.test(await inside(browser)), "the book's text"),
	"Pendulum lab": (browser) =>
		until(async () => /One swing takes 2\.01 seconds/.test(await inside(browser)), "the lab"),
	"Tick or tock?": async (browser) => {
		await until(async () => /swing takes two seconds/.test(await inside(browser)), "the card");
		for (const f of browser.page.frames()) {
			const button = f.getByText("Turn the card");
			if (await button.count()) await button.click();
		}
		await until(async () => /About one metre/.test(await inside(browser)), "its other side");
	},
	"Count the swings": async (_, frame) => {
		await until(
			() =>
				frame.evaluate(() => /How many seconds|How many swings|slower/.test(document.body.textContent ?? "")),
			"a question",
		);
		await frame.getByText("Check").first().waitFor();
	},
	Clocks: async (browser) => {
		await until(
			async () => /goes too slowly|more slowly than at the sea/.test(await inside(browser)),
			"a question",
		);
		await until(
			async () => /A shorter pendulum|On a high mountain/.test(await inside(browser)),
			"its choices",
		);
	},
	"What do you know about pendulums?": (_, frame) =>
		frame.getByText("Start quiz").or(frame.getByText("Submit quiz")).first().waitFor(),
};

test(
	"the channel of the build is listed, imported, and opens without a network",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.go("en/device/#/content/channels");
		await browser.mounted(/device/);
		const listed = await json(browser, "api/content/remotechannel/");
		const mine = listed.find((/** @type {any} */ c) => c.name === "The pendulum");
		assert.ok(mine, JSON.stringify(listed).slice(0, 300));
		assert.equal(mine.total_resources ?? mine.total_resource_count, 9);
		await run(browser, {
			type: "kolibri.core.content.tasks.remoteimport",
			channel_id: mine.id,
			channel_name: mine.name,
		});
		const nodes = await json(browser, `api/content/contentnode/?descendant_of=${mine.id}&available=true`);
		const resources = nodes.filter((/** @type {any} */ n) => n.kind !== "topic");
		assert.equal(resources.length, Object.keys(SEEN).length);
		await until(
			() =>
				browser.page.evaluate(async () => {
					const cache = await caches.open((await caches.keys()).filter((n) => n.includes(":build:"))[0]);
					const urls = new Set((await cache.keys()).map(({ url }) => new URL(url).pathname.slice(1)));
					const list = /** @type {string[]} */ (await (await fetch("/data/files.json")).json());
					return list.every((path) => urls.has(path) || !/^static\/(?!assets\/fonts\/)/.test(path));
				}),
			"the viewers' files",
			180_000,
		);
		await site.stop();
		const failures = [];
		for (const { title, id } of resources) {
			const frame = await open(browser, id);
			await SEEN[title](browser, frame).catch((/** @type {any} */ e) =>
				failures.push(`${title}: ${e.message}`),
			);
		}
		assert.deepEqual(failures, []);
	}),
);
