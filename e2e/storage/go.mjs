// Builds Go programs for the browser and finds the files that run them.

import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

/** @param {string[]} args */
export function buildForBrowser(args) {
	execFileSync("go", args, {
		cwd: root,
		stdio: ["ignore", "inherit", "inherit"],
		env: { ...process.env, GOOS: "js", GOARCH: "wasm", CGO_ENABLED: "0" },
	});
}

/** The files every page of the storage tests needs, by URL path. */
export function commonFiles() {
	const goroot = execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim();
	return {
		"/": "data:<!doctype html><title>storage</title>",
		"/favicon.ico": "data:",
		"/wasm_exec.js": join(goroot, "lib", "wasm", "wasm_exec.js"),
		"/opfs.js": join(root, "store", "opfs", "opfs.js"),
		"/worker.js": join(here, "worker.js"),
	};
}
