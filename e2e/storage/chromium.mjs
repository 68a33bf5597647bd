// Starts the Chromium that the storage tests use, and a small web server for their files.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const FLAGS = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

/** @type {Record<string, string>} */
const TYPES = {
	html: "text/html; charset=utf-8",
	js: "text/javascript; charset=utf-8",
	mjs: "text/javascript; charset=utf-8",
	wasm: "application/wasm",
	sqlite3: "application/octet-stream",
};

/**
 * A browser with a profile on disk: a private window would keep its storage in memory.
 * @param {string} profile a directory; the same one again brings its storage back
 */
export function launch(profile) {
	return chromium.launchPersistentContext(profile, {
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		headless: true,
		args: FLAGS,
	});
}

/** @returns {Promise<{path: string, remove: () => Promise<void>}>} */
export async function temporaryDirectory() {
	const path = await mkdtemp(join(tmpdir(), "kolibri-storage-"));
	return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/**
 * Serves a few files, by URL path, on a free port of this machine.
 * @param {Record<string, string>} files URL path to file name, or to "data:" and the text itself
 * @returns {Promise<{origin: string, close: () => void}>}
 */
export async function serve(files) {
	const server = createServer(async (request, response) => {
		const path = new URL(request.url ?? "/", "http://localhost").pathname;
		const file = files[path];
		if (file === undefined) {
			response.writeHead(404).end();
			return;
		}
		const type = TYPES[path.split(".").pop() ?? ""] ?? TYPES.html;
		// Only what the browser's cache may keep keeps its compiled code, too.
		response.writeHead(200, { "Content-Type": type, "Cache-Control": "max-age=86400, immutable" });
		response.end(file.startsWith("data:") ? file.slice(5) : await readFile(file));
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(null)));
	const address = /** @type {import("node:net").AddressInfo} */ (server.address());
	return {
		origin: `http://127.0.0.1:${address.port}`,
		close: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}
