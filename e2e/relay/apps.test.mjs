// Apps that were deployed to a relay, run by a page in a real browser.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ARGS, Browser, until } from "../lib/browser.mjs";
import { COMMAND, Relay, send } from "./relay.mjs";

const exec = promisify(execFile);

const HELLO = `export default async (request, { kv }) => {
	const url = new URL(request.url);
	switch (url.pathname) {
		case "/echo": return new Response(request.body, { headers: { "X-Method": request.method } });
		case "/headers": {
			const headers = new Headers([["X-Many", "1"], ["X-Many", "2"], ["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]);
			return new Response(JSON.stringify([...request.headers]), { headers });
		}
		case "/count": {
			for (;;) {
				const found = await kv.get("n");
				try {
					await kv.put("n", String(Number(found?.text() ?? 0) + 1), { version: found?.version ?? 0 });
					return new Response(String(Number(found?.text() ?? 0) + 1));
				} catch (error) {
					if (error.name !== "Conflict") throw error;
				}
			}
		}
		case "/soon": await kv.put("soon", "x", { ttl: 0.3 }); return Response.json(await kv.list());
		case "/list": return Response.json({ list: await kv.list({ prefix: "s" }), gone: await kv.get("soon") });
		case "/loop": for (;;);
		case "/never": return new Promise(() => {});
		case "/throw": throw new Error("no");
		case "/memory": { const all = []; for (;;) all.push(new Uint8Array(16 * 1024 * 1024)); }
		case "/heap": { const all = []; for (;;) all.push({ a: all.length, b: [all.length, Math.random()] }); }
		case "/escape": {
			const tried = {};
			for (const [name, attempt] of Object.entries({
				network: () => fetch("http://127.0.0.1:" + url.port + "/_relay/status"),
				socket: () => new Promise((go, fail) => { const s = new WebSocket("ws://127.0.0.1:" + url.port + "/_relay/tab"); s.onopen = go; s.onerror = () => fail(new Error("refused")); }),
				import: () => import("http://127.0.0.1:" + url.port + "/_relay/runtime/link.js"),
				storage: () => indexedDB.databases(), caches: () => caches.keys(),
				files: () => navigator.storage.getDirectory(),
			})) tried[name] = await Promise.race([(async () => attempt())().then(() => "open", (e) => "shut"), new Promise((go) => setTimeout(go, 3000, "shut"))]);
			return Response.json({ origin: self.origin, ...tried });
		}
	}
	return new Response("VERSION", { headers: { "Content-Type": "text/html" } });
};`;

/** @param {(here: {relay: Relay, deploy: (name: string, code: string) => Promise<string>, run: (...args: string[]) => Promise<string>}) => Promise<void>} use */
const runtime = (use) => async () => {
	const relay = await new Relay("--code", "school-code").start();
	const browser = new Browser(/** @type {any} */ (relay));
	const run = async (/** @type {string[]} */ ...args) => {
		const env = { ...process.env, KOLIBRI_HOME: relay.home };
		const { stdout } = await exec(COMMAND, ["relay", ...args, "--relay", relay.url], { env });
		return stdout;
	};
	const deploy = (/** @type {string} */ name, /** @type {string} */ code) => {
		const file = path.join(relay.home, `${name}.js`);
		fs.writeFileSync(file, code);
		return run("deploy", name, file);
	};
	try {
		// the engine's heap is the browser's to limit, as deploy/headless.sh does
		await browser.launch({ args: [...ARGS, "--js-flags=--max-old-space-size=256"] });
		await browser.page.goto(`${relay.url}_relay/runtime?code=school-code`);
		await relay.joined(1, "runtime");
		await use({ relay, deploy, run });
	} finally {
		await browser.remove();
		await relay.remove();
	}
};

test(
	"what is deployed is served, and rolled back",
	runtime(async ({ relay, deploy, run }) => {
		assert.equal((await relay.get("@hello/")).status, 404);
		const said = await deploy("hello", HELLO.replace("VERSION", "one"));
		assert.match(said, /hello version 1 is served at http:\S+\/@hello\/ http:\/\/hello\.localhost/);
		const is = (/** @type {string} */ text) =>
			until(async () => (await relay.get("@hello/")).text === text, text);
		await is("one");
		await deploy("hello", HELLO.replace("VERSION", "two"));
		await is("two");
		assert.match(await run("rollback", "hello"), /version 1/);
		await is("one");
		assert.match(await run("versions", "hello"), /1 .*served/);
		const { headers } = await relay.get("@hello/");
		assert.match(
			String(headers["content-security-policy"]),
			/^sandbox allow-scripts/,
			"beside Kolibri it has another origin",
		);
		const own = await send(relay.url, {
			headers: { Host: `hello.localhost:${relay.port}`, Cookie: "mine=1" },
		});
		assert.equal(own.text, "one");
		assert.match(await run("remove", "hello"), /removed/);
		await until(async () => (await relay.get("@hello/")).status === 404, "its end");
	}),
);

test(
	"bodies of any size, repeated headers, the store",
	runtime(async ({ relay, deploy }) => {
		await deploy("hello", HELLO);
		await until(async () => (await relay.get("@hello/")).status === 200, "the app");
		for (const size of [0, 1, 70_000, 5_000_000]) {
			const body = Buffer.alloc(size, Buffer.from([0, 255, 13, 10, 128]));
			const answer = await send(`${relay.url}@hello/echo`, { method: "PUT", body });
			assert.equal(answer.status, 200);
			assert.equal(answer.headers["x-method"], "PUT");
			assert.ok(answer.bytes.equals(body), `${size} bytes come back as they were`);
		}
		const own = { Host: `hello.localhost:${relay.port}`, Cookie: "mine=1" };
		const seen = await send(`${relay.url}headers`, { headers: own });
		assert.deepEqual(seen.headers["set-cookie"], ["a=1", "b=2"]);
		assert.equal(seen.headers["x-many"], "1, 2");
		assert.match(seen.text, /\["cookie","mine=1"\]/);
		const shared = await relay.get("@hello/headers", { Cookie: "kolibri=secret", "X-CSRFToken": "t" });
		assert.equal(shared.headers["set-cookie"], undefined, "no cookies on the host that Kolibri is on");
		assert.doesNotMatch(shared.text, /secret/);

		const counts = await Promise.all(Array.from({ length: 12 }, () => relay.get("@hello/count")));
		const numbers = counts.map(({ text }) => Number(text)).sort((a, b) => a - b);
		assert.deepEqual(
			numbers,
			Array.from({ length: 12 }, (_, i) => i + 1),
			"no count is lost",
		);
		const keys = (/** @type {string} */ text) => JSON.parse(text).map((/** @type {any} */ v) => v.key);
		assert.deepEqual(keys((await relay.get("@hello/soon")).text), ["n", "soon"]);
		await new Promise((go) => setTimeout(go, 400));
		assert.deepEqual(JSON.parse((await relay.get("@hello/list")).text), { list: [], gone: null });
	}),
);

test(
	"an app that loops, allocates, throws or never answers harms itself alone",
	runtime(async ({ relay, deploy }) => {
		await deploy("bad", HELLO);
		await deploy("good", HELLO.replace("VERSION", "good"));
		await until(async () => (await relay.get("@good/")).status === 200, "the app");
		const ways = JSON.parse((await relay.get("@bad/escape")).text);
		assert.equal(ways.origin, "null");
		for (const [name, way] of Object.entries(ways)) if (name !== "origin") assert.equal(way, "shut", name);
		assert.equal((await relay.get("@bad/throw")).status, 502);
		const memory = await relay.get("@bad/memory");
		assert.equal(memory.status, 502, memory.text);
		for (const at of ["loop", "never", "heap"]) {
			const asked = relay.get(`@bad/${at}`);
			await until(async () => (await relay.get("@good/")).text === "good", "the other app meanwhile");
			assert.equal((await asked).status, 502, at);
			assert.equal((await relay.get("@bad/")).status, 200, "and it begins anew");
		}
		// asked of the relay: where the frame's own process has ended, Playwright takes the page for crashed
		assert.equal(await relay.tabs("runtime"), 1, "the runtime's page stayed");
		const wrong = await deploy("broken", "this is no module");
		assert.match(wrong, /version 1/);
		await until(async () => (await relay.get("@broken/")).status === 502, "an error that names the app");
		const refused = await send(`${relay.url}_relay/apps/x`, {
			method: "PUT",
			body: "x",
			headers: { Authorization: "Bearer guess" },
		});
		assert.equal(refused.status, 401);
	}),
);
