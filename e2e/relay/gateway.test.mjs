// A Kolibri in a browser that imports a channel from a server that lets no other site's pages read from
// it; the gateway of the relay does.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { json, run } from "../lib/learn.mjs";
import { BUILD, freePort } from "../lib/site.mjs";
import { COMMAND, Relay, send } from "./relay.mjs";

/** The channel that every build brings along. */
const CHANNEL = fs.readdirSync(path.join(BUILD, "content/databases"))[0].replace(".sqlite3", "");

/** Passes requests on, and leaves out what would let other sites' pages read the answers. @param {number} to a port */
function withoutCORS(to) {
	return http.createServer((request, response) => {
		const { method, url, headers } = request;
		const forwarded = http.request({ host: "127.0.0.1", port: to, method, path: url, headers }, (answer) => {
			const kept = Object.entries(answer.headers).filter(([name]) => !name.startsWith("access-control-"));
			response.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept));
			answer.pipe(response);
		});
		forwarded.on("error", () => response.destroy());
		request.pipe(forwarded);
	});
}

/** A native Kolibri with the channel. @param {(url: URL) => Promise<void>} use */
async function withSchool(use) {
	const home = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-school-"));
	const port = await freePort();
	const env = {
		...process.env,
		KOLIBRI_HOME: home,
		KOLIBRI_LISTEN_ADDRESS: "127.0.0.1",
		KOLIBRI_DISABLE_PING: "True",
	};
	for (const verb of ["importchannel", "importcontent"])
		execFileSync(COMMAND, ["manage", verb, "disk", CHANNEL, BUILD], { env });
	const child = spawn(COMMAND, ["start", "--foreground", "--port", String(port)], { env, stdio: "ignore" });
	const ended = new Promise((go) => child.once("exit", go));
	const proxy = withoutCORS(port);
	try {
		await new Promise((go) => proxy.listen(0, "127.0.0.1", () => go(null)));
		const at = /** @type {import("node:net").AddressInfo} */ (proxy.address());
		const url = new URL(`http://127.0.0.1:${at.port}/`);
		await until(
			async () => (await send(`${url}api/public/info/`).catch(() => ({ status: 0 }))).status === 200,
			"the school's Kolibri",
		);
		await use(url);
	} finally {
		proxy.close();
		proxy.closeAllConnections();
		child.kill("SIGKILL");
		await ended;
		fs.rmSync(home, { recursive: true, force: true });
	}
}

test(
	"a channel is imported from a host that the gateway leads to, and from no other",
	inBrowser(async ({ site, browser }) => {
		await withSchool(async (school) => {
			const relay = await new Relay("--allow-host", school.host).start();
			try {
				await browser.open(relay.invitation);
				await relay.joined(1);
				await browser.mounted();
				await browser.provision();
				const add = (/** @type {string} */ base_url) =>
					browser.api("POST", "api/discovery/staticnetworklocation/", { base_url, nickname: "School" });
				const added = await add(school.href);
				assert.equal(added.status, 201, added.text);
				const { id, available } = JSON.parse(added.text);
				assert.equal(available, true);
				await run(browser, {
					type: "kolibri.core.content.tasks.remoteimport",
					channel_id: CHANNEL,
					channel_name: "The pendulum",
					peer: id,
				});
				const nodes = await json(browser, `api/content/contentnode/?descendant_of=${CHANNEL}&available=true`);
				const files = nodes.flatMap((/** @type {any} */ n) => n.files ?? []);
				const film = files.find((/** @type {any} */ f) => f.extension === "mp4");
				const got = await relay.get(new URL(film.storage_url, site.url).pathname.slice(1));
				assert.equal(got.status, 200);
				assert.equal(got.bytes.length, film.file_size, "visitors get the file from the tab");

				// the same server by a name that nobody allowed
				const other = await add(`http://localhost:${school.port}/`);
				assert.ok(other.status >= 400 || !JSON.parse(other.text).available, other.text);
			} finally {
				await relay.remove();
			}
		});
	}),
);
