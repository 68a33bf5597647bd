// Takes the pictures of docs/img from the real build: `make && node bench/screenshot.mjs`.
import fs from "node:fs";
import { json, run } from "../e2e/lib/learn.mjs";
import { Site } from "../e2e/lib/site.mjs";
import { Pages } from "./pages.mjs";
import { makeSchool } from "./school.mjs";

const PICTURES = [
	["setup", "en/setup/"],
	["facility", "en/facility/"],
	["channel", "en/learn/#/library"],
];

/** The channel that the build brings along. */
async function importChannel() {
	const { browser } = pages;
	const [{ id, name }] = await json(browser, "api/content/remotechannel/");
	await run(browser, {
		type: "kolibri.core.content.tasks.remoteimport",
		channel_id: id,
		channel_name: name,
	});
}

const site = await new Site().start();
const pages = await new Pages({ name: "tab", url: site.url, tab: true }).launch();
try {
	fs.mkdirSync("docs/img", { recursive: true });
	await pages.open("");
	for (const [name, at] of PICTURES) {
		if (name !== "setup") await pages.go(at);
		await new Promise((go) => setTimeout(go, 3000)); // pictures and fonts arrive after the page
		const welcome = pages.browser.frame()?.getByRole("button", { name: "Continue" });
		if (name === "channel" && (await welcome?.count())) await welcome?.click();
		await pages.browser.page.screenshot({ path: `docs/img/${name}.png` });
		if (name === "setup") {
			await makeSchool((...request) => pages.send(...request));
			await importChannel();
		}
	}
} finally {
	await pages.close();
	await site.remove();
}
