// A Kolibri in one browser, used from outside: by a plain client and by a second browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { Relay, send } from "./relay.mjs";

/** @param {(here: {site: import("../lib/site.mjs").Site, browser: Browser, relay: Relay}) => Promise<void>} run */
const shared = (run, ...args) =>
	inBrowser(async ({ site, browser }) => {
		const relay = await new Relay(...args).start();
		try {
			await run({ site, browser, relay });
		} catch (error) {
			console.error(relay.output, browser.errors); // what the relay says of requests without an answer
			throw error;
		} finally {
			await relay.remove();
		}
	});

test(
	"a second browser signs in to the Kolibri of the first and does not become the same person",
	shared(async ({ browser, relay }) => {
		assert.equal((await relay.get("")).status, 503, "before anybody shares, the relay says so");
		await browser.open(relay.invitation);
		await relay.joined(1);
		await browser.mounted();
		assert.ok(!browser.page.url().includes("code="), "the code does not stay in the address");

		const info = await relay.get("api/public/info/");
		assert.equal(info.status, 200);
		assert.equal(JSON.parse(info.text).application, "kolibri");
		await browser.provision();

		const page = await relay.get("en/auth/");
		assert.match(page.headers["content-type"] ?? "", /text\/html/);
		assert.doesNotMatch(page.text, /app\/shim-/, "visitors get Kolibri's own page");
		const script = /static\/[^"]*\.js/.exec(page.text)?.[0] ?? "";
		const got = await relay.get(script);
		assert.equal(got.status, 200, script);
		assert.ok(got.bytes.length > 1000);

		const visitor = new Browser(/** @type {any} */ (relay));
		await visitor.launch();
		try {
			await visitor.page.goto(relay.url);
			await until(
				() =>
					visitor.page.evaluate(() => "kolibriCoreAppGlobal" in window && !document.querySelector("rootvue")),
				"Kolibri's page in the visitor's browser",
			);
			const facility = browser.facility;
			const whoami = () =>
				visitor.page.evaluate(async () => {
					const token = /kolibri_csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
					const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
					const body = JSON.stringify({ active: false });
					const answer = await fetch("/api/auth/session/current/", { method: "PUT", headers, body });
					return (await answer.json()).username ?? "";
				});
			assert.equal(await whoami(), "", "the visitor is nobody, although the tab's person is signed in");
			const signedIn = await visitor.page.evaluate(async (facility) => {
				const token = /kolibri_csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
				const headers = { "X-CSRFToken": token, "Content-Type": "application/json" };
				const body = JSON.stringify({ username: "admin", password: "password1", facility });
				const answer = await fetch("/api/auth/session/", { method: "POST", headers, body });
				return { status: answer.status, text: await answer.text() };
			}, facility);
			assert.equal(signedIn.status, 200, `${signedIn.text}\n${relay.output}`);
			assert.equal(await whoami(), "admin");
			const forged = await visitor.page.evaluate(async () => {
				const headers = { "Content-Type": "application/json" };
				return (await fetch("/api/auth/classroom/", { method: "POST", headers, body: "{}" })).status;
			});
			assert.equal(forged, 403, "a write without the token is refused");
		} finally {
			await visitor.remove();
		}
	}),
);

test(
	"the data as a whole, the shell and other sites' words stay inside",
	shared(async ({ browser, relay }) => {
		await browser.open(relay.invitation);
		await relay.joined(1);
		for (const at of [
			"_host/backup",
			"x/_host/backup",
			"app/worker.js",
			"sw.js",
			"data/pages.json",
			"index.html",
		]) {
			const { status, text } = await relay.get(at);
			assert.ok(status === 404 || (at === "index.html" && status < 500), `${at} answered ${status}`);
			assert.ok(!text.startsWith("PK") && !text.includes("shell-"), at);
		}
		assert.equal((await send(`${relay.url}_host/reset`, { method: "POST" })).status, 404);
		assert.equal((await relay.get("api/public/info/")).status, 200, "and it goes on");
	}),
);

test(
	"a code serves once, and the tab comes back after a reload and after the connection broke",
	shared(async ({ browser, relay }) => {
		const { code, invitation } = relay;
		await browser.open(invitation);
		await relay.joined(1);
		assert.notEqual(relay.code, code, "the next code is another");
		await until(
			() => browser.page.evaluate(() => JSON.stringify(sessionStorage).includes("known")),
			"the tab's note of what it has joined",
		);
		await browser.page.reload();
		await until(
			async () => (await relay.get("api/public/info/")).status === 200,
			"an answer after the reload",
		);

		const second = await new Browser(browser.site).launch();
		try {
			await second.open(invitation);
			await until(
				() => second.page.evaluate(() => document.body.textContent?.includes("Share this Kolibri")),
				"the shell",
			);
			await until(() => relay.output.includes("a tab was refused"), "the refusal");
			assert.equal(await relay.tabs(), 1);
		} finally {
			await second.remove();
		}
	}),
);

test(
	"a person is asked first, sees who is there, and stops it by one press",
	inBrowser(async ({ browser }) => {
		const relay = await new Relay("--code", "school-code").start();
		try {
			await browser.close();
			await browser.launch({ userAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/149.0 Safari/537.36" });
			await browser.open(`?relay=${relay.url}&code=School-Code`);
			const { page } = browser;
			const question = page.getByRole("heading", { name: "Share this Kolibri?" });
			await question.waitFor();
			await page.reload(); // which a new service worker can make at any time
			await question.waitFor();
			assert.equal(await relay.tabs(), 0);
			await page.getByRole("button", { name: "Do not share" }).click();
			await page.waitForTimeout(500);
			assert.equal(await relay.tabs(), 0);

			await browser.open(`?relay=${relay.url}&code=School-Code`);
			await page.getByRole("button", { name: "Share", exact: true }).click();
			await relay.joined(1);
			await relay.get("api/public/info/", { "User-Agent": "Mozilla/5.0 (X11; CrOS) Chrome/1.0" });
			await page.getByRole("button", { name: "Sharing this Kolibri" }).click();
			const dialog = page.getByRole("dialog", { name: "Share this Kolibri" });
			await dialog.getByText(relay.url, { exact: true }).waitFor();
			await dialog.getByRole("img", { name: `QR code of ${relay.url}` }).waitFor();
			await dialog.getByText("Chrome, Chromebook").waitFor();
			await dialog.getByRole("button", { name: "Stop sharing" }).click();
			await relay.joined(0);
			const { status, headers } = await relay.get("api/public/info/");
			assert.deepEqual([status, headers["x-relay-error"]], [503, "no-tab"]);
		} finally {
			await relay.remove();
		}
	}),
);
