// Runs a Go package's GOOS=js tests in a dedicated worker of real Chromium.
//
//     node e2e/storage/run.mjs ./store/opfs [-test.run=Name] [-test.v]
//
// Prints what `go test` prints and exits with its status. Tests may ask the driver through
// globalThis.kolibriRunner.ask(name, argument):
//     "quota"   argument: bytes this origin may use from now on, 0 for the browser's own limit

import { join } from "node:path";
import { launch, serve, temporaryDirectory } from "./chromium.mjs";
import { buildForBrowser, commonFiles } from "./go.mjs";

const [packagePath, ...testFlags] = process.argv.slice(2);
if (!packagePath) {
	console.error("usage: node e2e/storage/run.mjs <package> [-test.flag ...]");
	process.exit(2);
}

const temporary = await temporaryDirectory();
let status = 2;
try {
	const wasm = join(temporary.path, "test.wasm");
	buildForBrowser(["test", "-c", "-o", wasm, packagePath]);
	status = await runInBrowser(wasm);
} finally {
	await temporary.remove();
}
process.exit(status);

/** @param {string} wasm @returns {Promise<number>} */
async function runInBrowser(wasm) {
	const server = await serve({ ...commonFiles(), "/test.wasm": wasm });
	const context = await launch(join(temporary.path, "profile"));
	try {
		const page = context.pages()[0] ?? (await context.newPage());
		const devtools = await context.newCDPSession(page);
		page.on("console", (message) => console.error(message.text()));
		page.on("pageerror", (error) => console.error(String(error)));
		await page.exposeFunction("print", (/** @type {string} */ text) => process.stdout.write(text));
		await page.exposeFunction("ask", async (/** @type {string} */ name, /** @type {any} */ value) => {
			if (name !== "quota") throw new Error(`the driver cannot do ${name}`);
			await devtools.send("Storage.overrideQuotaForOrigin", {
				origin: server.origin,
				quotaSize: value || undefined,
			});
		});
		await page.goto(server.origin);
		return await page.evaluate(
			(args) =>
				new Promise((resolve) => {
					/** @type {any} */
					const scope = window;
					const worker = new Worker("/worker.js", { type: "module" });
					worker.onerror = (event) => {
						scope.print(`the worker failed: ${event.message}\n`).then(() => resolve(2));
					};
					/** @type {Promise<any>} */
					let printed = Promise.resolve();
					worker.onmessage = async ({ data }) => {
						if (data.output) printed = printed.then(() => scope.print(data.output));
						if (data.ask) {
							const answer = await scope.ask(data.ask, data.argument);
							worker.postMessage({ answerTo: data.id, answer });
						}
						if (data.exit !== undefined) {
							// Events that nobody awaited may still arrive, and find the program gone.
							worker.onerror = null;
							worker.terminate();
							printed.then(() => resolve(data.exit));
						}
					};
					worker.postMessage({ wasm: "/test.wasm", args, env: {} });
				}),
			["-test.timeout=10m", ...testFlags],
		);
	} finally {
		await context.close();
		server.close();
	}
}
