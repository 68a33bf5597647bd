// `make bench-content`: a large channel on a real Kolibri 0.19.5, on the native command and in a tab, in one
// run: its import, how the page answers meanwhile, and the times of browsing and searching. What counts are
// the ratios, which docs/benchmarks-content.md keeps.
//
//   KOLIBRI_REFERENCE   command of a real Kolibri 0.19.5
//   KOLIBRI_NATIVE      the native command (bin/kolibri)
//   NODES               how large the channel is (20000)
//   CHANNEL             a folder with another channel to use, laid out as a mirror
//   REPEATS             how often each request is sent to each server (15)
//   SERVERS             Python, native, tab: those to look at, separated by commas; without all nothing is kept

import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sleep, until } from "../e2e/lib/browser.mjs";
import { BUILD, freePort } from "../e2e/lib/site.mjs";
import { ENDPOINTS, sample } from "./content/endpoints.mjs";
import { report } from "./content/report.mjs";
import { Pages } from "./pages.mjs";
import { makeSchool, PASSWORD } from "./school.mjs";
import { Client, Native } from "./servers.mjs";

const REPEATS = Number(process.env.REPEATS ?? 15);
const NODES = Number(process.env.NODES ?? 20_000);
const SERVERS = process.env.SERVERS?.split(",") ?? ["Python", "native", "tab"];
const WARM = 3;
const TICK_MS = 200;
const log = (/** @type {unknown[]} */ ...line) => console.error(...line);

/** @typedef {(method: string, at: string, body?: unknown) => Promise<{status: number, text: string, ms: number}>} Send */

/** The channel's folder, its id and what is in it. */
function material() {
	const folder = path.resolve(process.env.CHANNEL ?? `.cache/library-${NODES}`);
	if (!fs.existsSync(folder)) {
		const half = `${folder}.new`;
		fs.rmSync(half, { recursive: true, force: true });
		execFileSync("go", ["run", "./cmd/bundle/demo", "-nodes", String(NODES), half], { stdio: "inherit" });
		fs.renameSync(half, folder);
	}
	const databases = fs.readdirSync(path.join(folder, "content/databases"));
	const name = /** @type {string} */ (databases.find((n) => /^[0-9a-f]{32}\.sqlite3$/.test(n)));
	return { folder, id: name.slice(0, 32) };
}

/** Serves folders until stopped. @param {string[]} folders */
async function serve(...folders) {
	const port = await freePort();
	const child = spawn(process.execPath, ["bench/content/mirror.mjs", String(port), ...folders], {
		stdio: ["ignore", "ignore", "inherit"],
	});
	const url = `http://127.0.0.1:${port}/`;
	await until(() => fetch(url).then(() => true), "the mirror");
	return { url, stop: () => child.kill() };
}

/** Does a task to its end. @param {Send} send @param {string} type @param {string} channel */
async function task(send, type, channel) {
	const begin = performance.now();
	const answer = await send("POST", "api/tasks/tasks/", {
		type: `kolibri.core.content.tasks.${type}`,
		channel_id: channel,
		channel_name: "Large",
	});
	if (answer.status !== 200) throw new Error(`${type}: ${answer.status} ${answer.text}`);
	const { id } = JSON.parse(answer.text);
	for (;;) {
		const job = JSON.parse((await send("GET", `api/tasks/tasks/${id}/`)).text);
		if (/FAILED|CANCELED/.test(job.status)) throw new Error(`${type}: ${job.exception} ${job.traceback}`);
		if (job.status === "COMPLETED") return { ms: performance.now() - begin, about: job.extra_metadata };
		await sleep(100);
	}
}

/** Asks at a fixed beat, whether or not the last question was answered. @param {Send} send */
function watch(send) {
	/** @type {Record<string, number[]>} */
	const times = { heartbeat: [], Learn: [] };
	/** @type {Promise<unknown>[]} */
	const asked = [];
	const ask = (/** @type {string} */ what, /** @type {Parameters<Send>} */ ...request) =>
		send(...request).then(
			({ ms }) => times[what].push(ms),
			(error) => log(`${what}: ${error}`), // the page has gone with what failed
		);
	const questions = [
		() => ask("heartbeat", "PUT", "api/auth/session/current/", { active: false }),
		() => ask("Learn", "GET", "learn/api/homehydrate/"),
		() => ask("Learn", "GET", "api/content/channel/?available=true"),
	];
	let tick = 0;
	const timer = setInterval(() => asked.push(questions[tick++ % questions.length]()), TICK_MS);
	return async () => {
		clearInterval(timer);
		await Promise.all(asked);
		return times;
	};
}

/**
 * Imports the channel; the page asks meanwhile.
 * @param {Send} send @param {Send} page @param {string} channel
 */
async function bring(send, page, channel) {
	const stop = watch(page);
	const metadata = await task(send, "remotechannelimport", channel);
	const files = await task(send, "remotecontentimport", channel);
	const times = await stop();
	return { metadata: metadata.ms, files: files.ms, bytes: files.about.transferred_file_size, times };
}

/** @param {Pages[]} pages @param {Record<string, Client>} clients @param {string} channel */
async function browse(pages, clients, channel) {
	const known = await sample(async (at) => JSON.parse((await pages[0].send("GET", at)).text), channel);
	const results = [];
	for (const [name, at] of ENDPOINTS) {
		/** @type {{name: string, wire: Record<string, number[]>, seen: Record<string, number[]>}} */
		const row = { name, wire: {}, seen: {} };
		const note = (
			/** @type {Record<string, number[]>} */ times,
			/** @type {string} */ who,
			/** @type {any} */ { status, ms },
			/** @type {number} */ round,
		) => {
			if (status !== 200) throw new Error(`${who}, ${name}: ${status}`);
			times[who] ??= [];
			if (round >= WARM) times[who].push(ms);
		};
		for (let round = 0; round < REPEATS + WARM; round++) {
			const path = at(known);
			for (const [who, client] of Object.entries(clients))
				note(row.wire, who, await client.send("GET", path), round);
			// one of its own, since the original keeps the answer that it has just computed
			const seen = at(known);
			for (const p of pages) note(row.seen, p.target.name, await p.send("GET", seen), round);
		}
		results.push(row);
	}
	return results;
}

async function main() {
	const reference = process.env.KOLIBRI_REFERENCE ?? path.resolve(".cache/kolibri-0.19.5/bin/kolibri");
	const ours = path.resolve(process.env.KOLIBRI_NATIVE ?? "bin/kolibri");
	const channel = material();
	const source = await serve(channel.folder);
	const site = await serve(channel.folder, path.resolve(BUILD));
	const servers = [new Native("Python", reference), new Native("native", ours)].filter((s) =>
		SERVERS.includes(s.name),
	);
	const pages = [];
	/** @type {Record<string, Client>} */
	const clients = {};
	try {
		for (const s of servers) {
			s.env.KOLIBRI_CENTRAL_CONTENT_BASE_URL = source.url.replace(/\/$/, "");
			await s.start();
		}
		const targets = [
			...servers.map((s) => ({ name: s.name, url: s.url, tab: false })),
			{ name: "tab", url: site.url, tab: true },
		].filter((t) => SERVERS.includes(t.name));
		/** @type {Record<string, Awaited<ReturnType<typeof bring>>>} */
		const imports = {};
		for (const target of targets) {
			const p = await new Pages(target).launch();
			pages.push(p);
			await p.open("");
			const school = await makeSchool((...r) => p.send(...r));
			await p.go("en/profile/"); // a page that does not poll
			/** @type {Send} */
			let send = (...r) => p.send(...r);
			if (!target.tab) {
				const client = new Client(target.url);
				clients[target.name] = client;
				send = (...r) => client.send(...r);
				await send("GET", "api/auth/session/current/");
				const who = { username: "admin", password: PASSWORD, facility: school.facility };
				const { status } = await send("POST", "api/auth/session/", who);
				if (status !== 200) throw new Error(`${target.name}: signing in: ${status}`);
			}
			imports[target.name] = await bring(send, (...r) => p.send(...r), channel.id);
			const { metadata, files } = imports[target.name];
			log(`${target.name}: metadata ${Math.round(metadata)} ms, files ${Math.round(files)} ms`);
		}
		const tab = pages.find((p) => p.target.tab);
		const memory = (await tab?.moduleMemory().catch(() => Number.NaN)) ?? Number.NaN;
		const count = fs
			.readdirSync(path.join(channel.folder, "content/storage"), { recursive: true, withFileTypes: true })
			.filter((e) => e.isFile()).length;
		return {
			machine: `${os.cpus().length} cores, ${os.cpus()[0].model}, ${Math.round(os.totalmem() / 2 ** 30)} GB, load ${os.loadavg()[0].toFixed(1)}`,
			nodes: JSON.parse((await pages[0].send("GET", `api/content/channel/${channel.id}/`)).text)
				.total_resource_count,
			files: count,
			imports,
			memory,
			endpoints: await browse(pages, clients, channel.id),
		};
	} finally {
		for (const p of pages) await p.close();
		for (const s of servers) await s.remove();
		source.stop();
		site.stop();
	}
}

const results = await main();
fs.mkdirSync(".cache", { recursive: true });
fs.writeFileSync(".cache/bench-content.json", JSON.stringify(results, null, 1));
const text = report(results);
console.log(text);
if (NODES >= 20_000 && SERVERS.length === 3) fs.writeFileSync("docs/benchmarks-content.md", text);
