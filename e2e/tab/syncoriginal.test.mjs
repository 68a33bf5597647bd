// A tab and a real Kolibri 0.19.5 share a school, by what people do on Kolibri's own screens. Stock Kolibri
// lets no other site's pages read from it, so that the tab goes by the gateway of a relay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser, until } from "../lib/browser.mjs";
import { Original } from "../lib/original.mjs";
import { PASSWORD, School } from "../lib/school.mjs";
import { Site } from "../lib/site.mjs";
import { Relay } from "../relay/relay.mjs";

/** @param {School} k */
const next = (k) => k.press(/^continue$/i);

/** Answers the wizard up to what kind of device this is. @param {School} k @param {string} kind */
async function device(k, kind) {
	await k.see("How are you using Kolibri?");
	await k.press(k.frame.getByText("Group learning"));
	await next(k);
	await k.see("Give this device a name");
	await k.fill("Device name", "The tab");
	await next(k);
	await k.see("What kind of device is this?");
	await k.press(k.frame.getByText(kind, { exact: true }));
	await next(k);
}

/** Adds the other device by its address, and goes on with it. @param {School} k @param {Original} original */
async function add(k, original) {
	await k.press(k.frame.getByText("Add new device"));
	await k.see("Full network address");
	await k.fill("Full network address", original.host);
	await k.frame.getByLabel("Name", { exact: true }).fill("Far School");
	await k.press("Add");
	await choose(k, original);
}

/** Goes on with the only device in the list. @param {School} k @param {Original} original */
async function choose(k, original) {
	await k.see("Select device");
	await k.see(original.host);
	await k.press(k.frame.locator("form:visible").getByRole("button", { name: /^continue$/i }));
}

/** Synchronizes the facility at Device > Facilities. @param {School} k @param {Original} original */
async function synchronize(k, original) {
	await k.as("admin", "en/device/#/facilities");
	const before = await k.get("api/tasks/tasks/?queue=facility_task");
	await k.press(k.row("Test School").getByRole("button", { name: /^sync$/i }));
	await k.see("Select a source", k.dialog);
	await k.press(k.dialog.getByText("Local network or internet"));
	await k.press(k.dialog.getByRole("button", { name: /^continue$/i }));
	await choose(k, original);
	await k.told(
		"api/tasks/tasks/?queue=facility_task",
		(tasks) =>
			tasks.length > before.length && tasks.every((/** @type {any} */ task) => task.status === "COMPLETED"),
	);
	await k.see(/Last synced: (just now|\d+ seconds? ago)/);
}

/**
 * A real Kolibri with a class of two learners, a relay with a gateway to it, and a browser whose tab has joined.
 * @param {(here: {original: Original, far: School, site: Site, k: School, classroom: string}) => Promise<void>} act
 */
async function together(act) {
	const original = new Original();
	const site = await new Site().start();
	const browser = new Browser(site);
	/** @type {{remove(): Promise<void>}[]} */
	const made = [browser, original, site];
	try {
		const far = await original.school();
		made.unshift(far.browser);
		await far.person("lea", "Lea Learner");
		await far.person("sam", "Sam Single");
		await far.person("cora", "Cora Coach", "classroom assignable coach");
		const classroom = await far.class("Class A", { learners: ["lea", "sam"], coaches: ["cora"] });
		const relay = new Relay("--allow-host", original.host);
		made.unshift(relay);
		await relay.start();
		await browser.launch();
		await browser.open(relay.invitation);
		await relay.joined(1);
		const k = new School(browser);
		await k.mounted();
		try {
			await act({ original, far, site, k, classroom });
		} catch (error) {
			const folder = process.env.SHOTS;
			if (folder) await browser.page.screenshot({ path: `${folder}/tab.png` });
			if (folder) await far.browser.page.screenshot({ path: `${folder}/original.png` });
			throw error;
		}
	} finally {
		for (const one of made) await one.remove();
	}
}

/** What a person sees on the original may take it long. */
const limit = { timeout: 900_000 };

test("a school travels between a real Kolibri and a tab, where a learner works offline", limit, () =>
	together(async ({ original, far, site, k, classroom }) => {
		// the setup wizard imports the facility
		await device(k, "Full device");
		await k.press(k.frame.getByText("Import all data from an existing learning facility"));
		await next(k);
		await add(k, original);
		await k.see("Enter the username and password for a facility admin of 'Test School'");
		await k.fill("Username", "admin");
		await k.fill("Password", PASSWORD);
		await next(k);
		await k.see("The 'Test School' learning facility has been successfully loaded");
		await next(k);
		await k.see("Choose an admin from 'Test School'");
		await k.fill("Password", PASSWORD);
		await next(k);
		await k.see("Responsibilities as an administrator");
		await next(k);
		await k.at(/\/en\/device\//);
		assert.equal(await k.who(), "admin");
		k.browser.facility = far.facility;
		await k.content();

		// a coach assigns a lesson on the original
		await far.as("cora", `en/coach/#/${classroom}/lessons`);
		await far.press(far.frame.getByText(/^new lesson$/i));
		await far.fill("Title", "Waves");
		await far.press(/^save changes$/i);
		await far.see("No resources in this lesson");
		const film = far.nodes["A pendulum swings"];
		await far.press(far.frame.getByText("Manage resources"));
		await far.press(far.frame.locator(`a.k-title[href*="topicId=${far.channel}"]`));
		await far.press(far.frame.locator(`a.k-title[href*="topicId=${film.parent}"]`));
		await far.tick(far.frame.getByRole("checkbox", { name: film.title }));
		await far.press(/save.*finish/i);
		await far.at(/lessons\/\w{32}$/);
		const lesson = /** @type {string} */ (far.frame.url().split("/").at(-1));
		await far.see(film.title);
		await far.frame.locator("input[name=toggle-lesson-visibility]").first().click({ force: true });
		await far.told(`api/lessons/lesson/${lesson}/`, ({ active }) => active);
		await synchronize(k, original);

		// the learner finds it, and works while there is no network
		await k.as("lea", "en/learn/#/home");
		await k.see("Welcome to your learning facility", k.dialog);
		await k.confirm(/^continue$/i);
		await k.press(k.frame.getByText("Class A"));
		await k.see("Waves");
		await site.stop();
		await k.browser.context?.setOffline(true);
		await k.press(k.frame.locator("h3", { hasText: "Waves" }));
		await k.press(k.frame.locator("h3", { hasText: film.title }));
		await k.at(/\/topics\/c\//);
		await k.work(film.title, { lesson, progress: 1 });
		await k.open(`en/learn/#/home/classes/${classroom}`);
		await k.see(/Waves.*Completed/);
		await site.start();
		await k.browser.context?.setOffline(false);
		await synchronize(k, original);

		// the coach sees it on the original
		await far.open(`en/coach/#/${classroom}/learners/${far.users.lea}`);
		await far.see(/Waves Completed/);
	}),
);

test("a learner's own tab gets what a real Kolibri has for it, and sends what is learned", limit, () =>
	together(async ({ original, far, k, classroom }) => {
		const film = far.nodes["A pendulum swings"];
		await far.session("cora");
		const lesson = await far.lesson("Waves", classroom, { resources: [film.title] });

		// the setup wizard imports one account
		await device(k, "Learn-only device");
		await k.press(k.frame.getByText("Import one or more existing user accounts from an existing facility"));
		await next(k);
		await add(k, original);
		await k.see("Enter the user credentials of the account you want to import");
		await k.fill("Username", "sam"); // in a school of this kind learners have no password
		await next(k);
		await k.press(/^finish$/i);
		await k.at(/\/en\/learn\//);
		assert.equal(await k.who(), "sam");
		assert.deepEqual(
			(await k.get("api/auth/facilityuser/")).map((/** @type {any} */ user) => user.username),
			["sam"],
		);
		k.browser.facility = far.facility;
		await k.content();
		await k.open(`en/learn/#/home/classes/${classroom}`);
		await k.see("Waves");
		await k.work(film.title, { lesson, progress: 1 });
		await k.open(`en/learn/#/home/classes/${classroom}`);
		await k.see(/Waves.*Completed/);

		// it synchronizes by itself, again and again
		const learner = `en/coach/#/${classroom}/learners/${far.users.sam}`;
		await until(
			async () => {
				await far.open(learner);
				return far.see(/Waves Completed/, undefined, 15_000);
			},
			"what sam has done",
			240_000,
		);
		await far.call("PATCH", `api/lessons/lesson/${lesson}/`, { title: "Swings and waves" });
		await until(
			async () => {
				await k.open(`en/learn/#/home/classes/${classroom}`);
				return k.see("Swings and waves", undefined, 15_000);
			},
			"the lesson's other name",
			240_000,
		);
	}),
);
