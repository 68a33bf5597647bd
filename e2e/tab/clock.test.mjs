// A device whose clock is set while somebody works.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";

const MINUTE = 60_000;
const YEAR = 365 * 24 * 60 * MINUTE;

/** The worker's clock, which the test sets: all that it and Go know of the time comes from Date. */
const CLOCK = `{
	let skew = 0;
	const Real = Date;
	self.Date = class extends Real {
		constructor(...given) { given.length ? super(...given) : super(Real.now() + skew); }
		static now() { return Real.now() + skew; }
	};
	new BroadcastChannel("clock").onmessage = ({ data }) => { skew = data; };
}`;

test(
	"a clock that jumps ends no session that has not run out, and breaks nothing",
	inBrowser(async ({ site, browser }) => {
		site.beforeWorker(CLOCK);
		await browser.open();
		await browser.mounted();
		await browser.provision();
		const session = async () =>
			JSON.parse((await browser.api("PUT", "api/auth/session/current/", { active: true })).text);
		for (const [name, skew, user] of /** @type {const} */ ([
			["a little back", -5 * MINUTE, "admin"],
			["right again", 0, "admin"],
			["almost a session's life ahead", 15 * MINUTE, "admin"],
			["years back", -10 * YEAR, "admin"],
			["years ahead", 30 * YEAR, undefined],
		])) {
			await browser.page.evaluate((skew) => new BroadcastChannel("clock").postMessage(skew), skew);
			const now = await until(async () => {
				const answer = await session();
				const off = Date.parse(answer.server_time) - Date.now() - skew;
				return Math.abs(off) < 2 * MINUTE && answer;
			}, `${name}: the server's clock`);
			assert.equal(now.username || undefined, user, name);
			const answer = await browser.api("GET", "api/auth/facilityuser/");
			assert.ok(user ? answer.status === 200 : answer.status < 500, `${name}: ${answer.text}`);
		}
		assert.equal((await browser.signIn()).status, 200);
		const made = { name: "Of the future", parent: browser.facility };
		assert.equal((await browser.api("POST", "api/auth/classroom/", made)).status, 201);
		await browser.page.evaluate(() => new BroadcastChannel("clock").postMessage(0));
		await browser.page.reload();
		await browser.mounted();
		assert.equal(await browser.whoami(), "admin", "a session of the future");
	}),
);
