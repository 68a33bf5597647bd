// Several tabs, one server; and a service worker that is stopped whenever the browser likes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sleep, until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";

const makeClass = (browser, name, page) =>
	browser.api("POST", "api/auth/classroom/", { name, parent: browser.facility }, page);
const classes = async (browser, page) =>
	JSON.parse((await browser.api("GET", "api/auth/classroom/", undefined, page)).text);

test(
	"a second tab works through the first and takes over when it is closed",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const first = browser.page;
		const second = await browser.context.newPage();
		await browser.open("en/facility/", second);
		await browser.mounted(/facility/, second);
		assert.equal((await makeClass(browser, "One", first)).status, 201);
		assert.deepEqual(
			(await classes(browser, second)).map((c) => c.name),
			["One"],
		);
		assert.equal((await makeClass(browser, "Two", second)).status, 201);

		await first.close();
		browser.page = second;
		// A read that comes amid the hand-over waits for the next server.
		assert.deepEqual((await classes(browser)).map((c) => c.name).sort(), ["One", "Two"]);
		assert.equal((await makeClass(browser, "Three")).status, 201);
		await second.reload();
		await browser.mounted();
		assert.equal(await browser.whoami(), "admin");
		assert.equal((await classes(browser)).length, 3);
	}),
);

test(
	"amid a hand-over reads are repeated, writes fail as a busy database would, none is done twice",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const second = await browser.context.newPage();
		await browser.open("en/facility/", second);
		await browser.mounted(/facility/, second);
		// A stream of writes and reads while the leader goes away.
		const frame = browser.frame(second);
		await frame.evaluate(
			([base, parent]) => {
				const log = { writes: [], reads: [], stop: false };
				/** @type {any} */ (window).log = log;
				const headers = { "Content-Type": "application/json", "X-Requested-With": "XMLHttpRequest" };
				const write = async () => {
					for (let i = 0; !log.stop; i++) {
						const name = `Class ${i}`;
						const body = JSON.stringify({ name, parent });
						const { status } = await fetch(`${base}api/auth/classroom/`, { method: "POST", headers, body });
						log.writes.push([name, status]);
					}
				};
				const read = async () => {
					while (!log.stop) log.reads.push((await fetch(`${base}api/auth/facility/`)).status);
				};
				log.done = Promise.all([write(), read(), read()]);
			},
			[browser.site.url, browser.facility],
		);
		await until(
			() => frame.evaluate(() => /** @type {any} */ (window).log.writes.length > 3),
			"the first writes",
		);
		await browser.page.close();
		browser.page = second;
		const before = await frame.evaluate(() => /** @type {any} */ (window).log.writes.length);
		await until(
			() => frame.evaluate((n) => /** @type {any} */ (window).log.writes.length > n + 3, before),
			"writes after the hand-over",
		);
		const log = await frame.evaluate(async () => {
			/** @type {any} */ (window).log.stop = true;
			await /** @type {any} */ (window).log.done;
			return { writes: /** @type {any} */ (window).log.writes, reads: /** @type {any} */ (window).log.reads };
		});
		assert.deepEqual(
			log.reads.filter((status) => status !== 200),
			[],
			"no read failed",
		);
		const unexpected = log.writes.filter(([, status]) => status !== 201 && status !== 503);
		assert.deepEqual(unexpected, []);
		const there = (await classes(browser)).map((c) => c.name);
		const acknowledged = log.writes.filter(([, status]) => status === 201).map(([name]) => name);
		assert.deepEqual(
			acknowledged.filter((name) => !there.includes(name)),
			[],
			"nothing acknowledged is lost",
		);
		assert.equal(new Set(there).size, there.length, "nothing is there twice");
	}),
);

test(
	"the service worker may be stopped at any time",
	inBrowser(async ({ browser }) => {
		await browser.open();
		await browser.mounted();
		await browser.provision();
		await browser.stopServiceWorkers();
		assert.equal((await browser.api("GET", "api/auth/facility/")).status, 200);
		await browser.stopServiceWorkers();
		await browser.go("en/facility/");
		await browser.mounted(/facility/);
		await browser.stopServiceWorkers();
		assert.equal((await makeClass(browser, "One")).status, 201);
		await sleep(100);
		await browser.stopServiceWorkers();
		await browser.page.reload();
		await browser.mounted(/facility/);
	}),
);

test(
	"what other sites may not do",
	inBrowser(async ({ site, browser }) => {
		await browser.open();
		await browser.mounted();
		const attacks = await browser.context.newPage();
		const form = `<form method="post" action="${site.url}en/logout/"><button>x</button></form>`;
		await attacks.goto(`data:text/html,${encodeURIComponent(form)}`);
		const answer = attacks.waitForNavigation();
		await attacks.click("button");
		assert.ok([405, 501].includes((await answer)?.status() ?? 0), "a posted form is refused");
	}),
);

test(
	"pages keep Kolibri's content security policy, and files are downloads",
	inBrowser(async ({ browser }) => {
		await browser.open();
		const frame = await browser.mounted();
		const headers = await frame.evaluate(async () =>
			Object.fromEntries((await fetch(location.href)).headers),
		);
		assert.match(headers["content-security-policy"], /script-src 'self' blob:/);
		assert.equal(headers["x-frame-options"], "SAMEORIGIN");
		assert.equal(
			await frame.evaluate(() => {
				const script = document.createElement("script");
				script.textContent = "window.hacked = true";
				document.head.append(script);
				return "hacked" in window;
			}),
			false,
			"inline scripts do not run",
		);
		const download = browser.page.waitForEvent("download");
		await frame.evaluate(() => {
			const link = document.createElement("a");
			link.href = "api/public/info/";
			link.href = new URL("../../api/public/info/", location.href).href;
			link.download = "info.json";
			document.body.append(link);
			link.click();
		});
		assert.equal((await download).suggestedFilename(), "info.json");
	}),
);
