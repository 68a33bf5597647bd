// deploy/headless.sh: a relay and a browser, without containers.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { removeProfile, until } from "../lib/browser.mjs";
import { BUILD, freePort } from "../lib/site.mjs";
import { COMMAND, send } from "./relay.mjs";

test("one script starts relay and browser, and ends both", async () => {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-headless-"));
	const [port, appPort] = [await freePort(), await freePort()];
	const child = spawn("deploy/headless.sh", {
		env: {
			...process.env,
			LISTEN: `127.0.0.1:${port}`,
			APP_PORT: String(appPort),
			PROFILE: path.join(folder, "profile"),
			BUILD,
			KOLIBRI: COMMAND,
			KOLIBRI_HOME: folder,
			CHROMIUM: process.env.CHROMIUM || "/usr/bin/chromium",
		},
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr]) {
		stream.on("data", (text) => {
			output += text;
		});
	}
	const ended = new Promise((go) => child.once("exit", go));
	try {
		const answer = await until(async () => {
			const got = await send(`http://127.0.0.1:${port}/api/public/info/`);
			return got.status === 200 && got;
		}, "Kolibri in the headless browser");
		assert.equal(JSON.parse(answer.text).application, "kolibri", output);
		const page = await send(`http://127.0.0.1:${port}/en/setup/`);
		assert.match(page.text, /<html/);
	} finally {
		child.kill("SIGTERM");
		await ended;
	}
	await assert.rejects(send(`http://127.0.0.1:${port}/_relay/status`), "the relay has ended");
	await assert.rejects(send(`http://127.0.0.1:${appPort}/`), "and so has the rest");
	await removeProfile(folder);
});
