// Takes the pictures of docs/img from the real build: `make && node bench/screenshot.mjs`.
import fs from "node:fs";
import { Site } from "../e2e/lib/site.mjs";
import { Pages } from "./pages.mjs";
import { makeSchool } from "./school.mjs";

const PICTURES = [
	["setup", "en/setup/"],
	["facility", "en/facility/"],
];

const site = await new Site().start();
const pages = await new Pages({ name: "tab", url: site.url, tab: true }).launch();
try {
	fs.mkdirSync("docs/img", { recursive: true });
	await pages.open("");
	for (const [name, at] of PICTURES) {
		if (name !== "setup") await pages.go(at);
		await new Promise((go) => setTimeout(go, 3000)); // pictures and fonts arrive after the page
		await pages.browser.page.screenshot({ path: `docs/img/${name}.png` });
		if (name === "setup") await makeSchool((...request) => pages.send(...request));
	}
} finally {
	await pages.close();
	await site.remove();
}
