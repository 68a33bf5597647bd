// Looks like the kolibri command to a judge of servers - `tab.mjs start --foreground --port N` with
// KOLIBRI_HOME set - and has every request answered by a browser tab: a relay listens on the port, and
// a headless Chromium, whose profile lies in the home, shares its Kolibri through it.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const ROOT = path.resolve(import.meta.dirname, "../..");
const BUILD = path.resolve(process.env.BUILD ?? path.join(ROOT, "build"));
const COMMAND = path.resolve(process.env.KOLIBRI_NATIVE ?? path.join(ROOT, "bin/kolibri"));
const CODE = "parity-code";
/** A profile keeps its data by origin, which must be the same wherever the home is copied to. */
const HOST = "kolibri.localhost";

/** What a static host says of the few kinds of files that browsers are particular about. */
const TYPES = /** @type {Record<string, string>} */ ({
	".html": "text/html; charset=utf-8",
	".js": "text/javascript",
	".json": "application/json",
	".wasm": "application/wasm",
	".css": "text/css",
	".svg": "image/svg+xml",
	".webmanifest": "application/manifest+json",
});

/**
 * Serves the build, and beside it the content of the mirror, as a person who lays content beside the
 * app does.
 * @param {string} mirror base URL
 * @returns {Promise<http.Server>}
 */
function host(mirror) {
	const server = http.createServer((request, response) => {
		const { pathname, search } = new URL(request.url ?? "/", `http://${HOST}`);
		if (/^\/(content\/(databases|storage)|api\/public)\//.test(pathname)) {
			const { method, headers } = request;
			const onward = http.request(mirror + pathname + search, { method, headers }, (answer) => {
				response.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(response);
			});
			onward.on("error", () => response.writeHead(502).end());
			request.pipe(onward);
			return;
		}
		let file = path.join(BUILD, decodeURIComponent(pathname));
		if (pathname.endsWith("/")) file = path.join(file, "index.html");
		if (!file.startsWith(BUILD) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) {
			response.writeHead(404).end();
			return;
		}
		response.writeHead(200, { "Content-Type": TYPES[path.extname(file)] ?? "application/octet-stream" });
		fs.createReadStream(file).pipe(response);
	});
	return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { foreground: { type: "boolean" }, port: { type: "string" } },
});
const home = process.env.KOLIBRI_HOME;
if (positionals[0] !== "start" || !values.port || !home) {
	console.error("usage: KOLIBRI_HOME=DIR tab.mjs start --foreground --port N");
	process.exit(2);
}

const site = await host(process.env.KOLIBRI_CENTRAL_CONTENT_BASE_URL ?? "http://127.0.0.1:9");
const { port } = /** @type {import("node:net").AddressInfo} */ (site.address());
const relay = spawn(COMMAND, ["relay", "--listen", `127.0.0.1:${values.port}`, "--code", CODE], {
	stdio: "inherit",
});
const profile = path.join(home, "profile");
const context = await chromium.launchPersistentContext(profile, {
	executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
	headless: true,
	handleSIGTERM: false,
	handleSIGINT: false,
	args: [
		"--no-sandbox",
		"--disable-gpu",
		"--no-first-run",
		`--host-resolver-rules=MAP ${HOST} 127.0.0.1:${port}`,
	],
});

let ending = false;
/** @param {number} code */
async function end(code) {
	if (ending) return;
	ending = true;
	await context.close().catch(() => {});
	// Links of a running browser that lead nowhere now: the judge copies homes.
	for (const name of ["SingletonLock", "SingletonSocket", "SingletonCookie"]) {
		fs.rmSync(path.join(profile, name), { force: true });
	}
	relay.kill();
	process.exit(code);
}
process.on("SIGTERM", () => end(0));
process.on("SIGINT", () => end(0));
relay.on("exit", () => end(1));
context.on("close", () => end(1));

const [page] = context.pages();
page.on("console", (message) => message.type() === "error" && console.error(message.text()));
page.on("pageerror", (error) => console.error(error));
await page.goto(
	`http://${HOST}/?relay=${encodeURIComponent(`http://127.0.0.1:${values.port}/`)}&code=${CODE}`,
);
