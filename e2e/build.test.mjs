// The build on a plain static host, `python3 -m http.server`: at the root and below a path that it
// was not built for.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, temporaryDirectory } from "./storage/chromium.mjs";

const BUILD = fileURLToPath(new URL("../build", import.meta.url));
const PREFIXES = ["/", "/some/path/"];

const temporary = await temporaryDirectory();
let host = { origin: "", stop: () => {} };

before(async () => {
	const root = join(temporary.path, "www");
	await mkdir(join(root, "some"), { recursive: true });
	await symlink(BUILD, join(root, "some", "path"));
	for (const name of [
		"index.html",
		"sw.js",
		"app",
		"data",
		"icons",
		"static",
		"en",
		"ar",
		"manifest.webmanifest",
		"favicon.ico",
	])
		await symlink(join(BUILD, name), join(root, name));
	host = await serve(root);
});

after(async () => {
	host.stop();
	await temporary.remove();
});

/**
 * @param {string} root
 * @returns {Promise<{origin: string, stop: () => void}>}
 */
async function serve(root) {
	const args = ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", root, "0"];
	const server = spawn("python3", args, { stdio: ["ignore", "pipe", "ignore"] });
	const port = await new Promise((found, failed) => {
		server.on("exit", () => failed(new Error("http.server did not start")));
		server.stdout.on("data", (text) => {
			const match = / port (\d+) /.exec(String(text));
			if (match) found(match[1]);
		});
	});
	return { origin: `http://127.0.0.1:${port}`, stop: () => server.kill() };
}

test("every page of every language has a shell that finds its files", async () => {
	const { languages, pages } = JSON.parse(await readFile(join(BUILD, "data/pages.json"), "utf8"));
	assert.equal(languages.length, 33);
	const addresses = ["", "redirectuser/", "logout/", "guestaccess/", "unsupported/"];
	for (const page of Object.keys(pages)) addresses.push(`${page}/`);
	const found = new Set();
	for (const { id, rtl } of languages) {
		for (const address of addresses) {
			const at = new URL(`/some/path/${id}/${address}`, host.origin);
			const answer = await fetch(at);
			assert.equal(answer.status, 200, at.pathname);
			const html = await answer.text();
			assert.match(html, new RegExp(`<html lang="${id}" dir="${rtl ? "rtl" : "ltr"}">`));
			assert.doesNotMatch(html, /%[A-Z_]+%/, "a mark was not replaced");
			for (const [, path] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
				const file = new URL(path, at);
				assert.ok(file.pathname.startsWith("/some/path/"), `${file} is outside`);
				if (found.has(file.href)) continue;
				assert.equal((await fetch(file, { method: "HEAD" })).status, 200, file.href);
				found.add(file.href);
			}
		}
	}
});

test("the files that the shell keeps for offline use are there", async () => {
	const { icons } = JSON.parse(await readFile(join(BUILD, "manifest.webmanifest"), "utf8"));
	const files = JSON.parse(await readFile(join(BUILD, "data/files.json"), "utf8"));
	assert.ok(files.length > 600);
	for (const path of [...icons.map((/** @type {{src: string}} */ icon) => icon.src), ...files]) {
		const answer = await fetch(new URL(path, `${host.origin}/some/path/`), { method: "HEAD" });
		assert.equal(answer.status, 200, path);
	}
});

for (const prefix of PREFIXES)
	test(`a first visit to a page below ${prefix} ends in Kolibri, and asks for nothing outside`, async () => {
		const context = await launch(join(temporary.path, `profile${prefix.length}`));
		try {
			/** @type {string[]} */
			const strange = [];
			context.on("request", (request) => {
				const url = new URL(request.url());
				if (!url.protocol.startsWith("http")) return; // blob: and data: stay in the browser
				if (url.origin !== host.origin || !url.pathname.startsWith(prefix)) strange.push(url.href);
			});
			const page = await context.newPage();
			await page.goto(`${host.origin}${prefix}ar/learn/`);
			// A device that is not set up yet leads every page to the set-up.
			await page.waitForURL(`**${prefix}ar/setup/**`, { timeout: 60_000 });
			const kolibri = page.frameLocator("iframe");
			await kolibri.locator('html[dir="rtl"] h1').first().waitFor({ timeout: 60_000 });
			assert.deepEqual(strange, []);
		} finally {
			await context.close();
		}
	});
