// What a relay costs, beside the same tab without it, in one run on one machine. Writes
// docs/relay-benchmarks.md.
//
//   REQUESTS   how many the memory is watched over (1000000)
//   ONLY       latency, throughput, concurrent, pool, deploy, memory: parts to run, separated by commas

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { Browser, sleep } from "../../e2e/lib/browser.mjs";
import { Site } from "../../e2e/lib/site.mjs";
import { COMMAND, Relay } from "../../e2e/relay/relay.mjs";

const REQUESTS = Number(process.env.REQUESTS ?? 1_000_000);
const only = process.env.ONLY?.split(",");
const wants = (/** @type {string} */ part) => !only || only.includes(part);
const CODE = "bench-code";
const FILE = "content/storage/a/b/ab000000000000000000000000000000.mp4";
const FILE_MB = 200;
/** A first visit goes on for a minute: code is compiled better, and the rest of the build is fetched. */
const CALM_MS = 70_000;

const HANDLER = `export default async (request) => {
	if (!request.url.includes("compute")) return new Response("hello");
	let x = 1;
	for (let i = 0; i < 4e7; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
	return new Response(String(x));
};`;

const median = (/** @type {number[]} */ v) => v.toSorted((a, b) => a - b)[Math.floor(v.length / 2)];

/** @param {string} url @param {http.Agent} agent @returns {Promise<{status: number, bytes: number}>} */
const get = (url, agent) =>
	new Promise((resolve, reject) => {
		http
			.get(url, { agent }, (answer) => {
				let bytes = 0;
				answer.on("data", (part) => {
					bytes += part.length;
				});
				answer.on("end", () => resolve({ status: answer.statusCode ?? 0, bytes }));
				answer.on("error", reject);
			})
			.on("error", reject);
	});

/**
 * Reads a file as a program does that is not itself the slow part: node's parser of HTTP would be.
 * @param {Relay} relay @param {string} at @returns {Promise<number>} bytes of the body
 */
const download = (relay, at) =>
	new Promise((resolve, reject) => {
		let all = 0;
		let head = "";
		const buffer = Buffer.alloc(2 ** 20);
		const socket = net.connect({
			port: Number(relay.port),
			host: "127.0.0.1",
			onread: {
				buffer,
				callback: (n) => {
					if (!head.includes("\r\n\r\n")) head += buffer.toString("latin1", 0, n);
					all += n;
					return true;
				},
			},
		});
		socket.on("error", reject);
		socket.on("close", () => resolve(all - head.indexOf("\r\n\r\n") - 4));
		socket.write(`GET /${at} HTTP/1.1\r\nHost: 127.0.0.1:${relay.port}\r\nConnection: close\r\n\r\n`);
	});

/**
 * Sends n requests, so many at once.
 * @param {string} url @param {number} n @param {number} atOnce @param {(done: number) => void} [every]
 */
async function load(url, n, atOnce, every = () => {}) {
	const agent = new http.Agent({ keepAlive: true, maxSockets: atOnce });
	let begun = 0;
	let done = 0;
	let failed = 0;
	const began = performance.now();
	const work = async () => {
		while (begun < n) {
			begun++;
			const { status } = await get(url, agent).catch(() => ({ status: 0 }));
			if (status !== 200) failed++;
			every(++done);
		}
	};
	await Promise.all(Array.from({ length: atOnce }, work));
	agent.destroy();
	const seconds = (performance.now() - began) / 1000;
	return { failed, perSecond: n / seconds };
}

/** A request to the server in the tab by the port that Kolibri's pages use. @param {import("playwright-core").Frame} frame @param {string} url @param {number} n */
const byPort = (frame, url, n) =>
	frame.evaluate(
		async ([url, n]) => {
			const { port1, port2 } = new MessageChannel();
			const next = () =>
				new Promise((go) => {
					port1.onmessage = ({ data }) => go(data);
				});
			const hello = next();
			/** @type {any} */ (parent).kolibriShell.connect(port2);
			await hello;
			const times = [];
			for (let id = 1; id <= Number(n); id++) {
				const begin = performance.now();
				const answer = next();
				port1.postMessage({ t: "req", id, method: "GET", url, headers: [] });
				await answer;
				times.push(performance.now() - begin);
			}
			return times;
		},
		[url, n],
	);

async function kolibri(/** @type {Record<string, any>} */ results) {
	const site = await new Site().start();
	const relay = await new Relay("--code", CODE).start();
	const browser = await new Browser(site).launch();
	try {
		await browser.open(relay.invitation);
		await relay.joined(1);
		const frame = await browser.mounted();
		await sleep(CALM_MS);
		const agent = new http.Agent({ keepAlive: true });
		if (wants("latency")) {
			const url = "api/public/info/";
			const direct = [];
			const relayed = [];
			await byPort(frame, site.url + url, 50);
			for (let round = 0; round < 5; round++) {
				direct.push(...(await byPort(frame, site.url + url, 60)));
				for (let i = 0; i < 60; i++) {
					const begin = performance.now();
					await get(relay.url + url, agent);
					relayed.push(performance.now() - begin);
				}
			}
			results.latency = { direct: median(direct), relayed: median(relayed) };
		}
		if (wants("throughput")) {
			await frame.evaluate(
				async ([file, mb]) => {
					let folder = await navigator.storage.getDirectory();
					const parts = `kolibri-home/${file}`.split("/");
					for (const part of parts.slice(0, -1))
						folder = await folder.getDirectoryHandle(part, { create: true });
					const out = await (
						await folder.getFileHandle(parts.at(-1) ?? "", { create: true })
					).createWritable();
					const part = new Uint8Array(2 ** 20).map((_, i) => i * 7);
					for (let i = 0; i < Number(mb); i++) await out.write(part);
					await out.close();
				},
				[FILE, FILE_MB],
			);
			const direct = [];
			const relayed = [];
			for (let round = 0; round < 4; round++) {
				const ms = await frame.evaluate(async (url) => {
					const begin = performance.now();
					const reader = /** @type {ReadableStream} */ ((await fetch(url)).body).getReader();
					while (!(await reader.read()).done);
					return performance.now() - begin;
				}, site.url + FILE);
				const begin = performance.now();
				const bytes = await download(relay, FILE);
				if (bytes !== FILE_MB * 2 ** 20) throw new Error(`${bytes} bytes`);
				if (round > 0) {
					direct.push((FILE_MB * 1000) / ms);
					relayed.push((FILE_MB * 1000) / (performance.now() - begin));
				}
			}
			results.throughput = { direct: median(direct), relayed: median(relayed) };
		}
		agent.destroy();
	} finally {
		await browser.remove();
		await relay.remove();
		await site.remove();
	}
}

async function runtimes(/** @type {Record<string, any>} */ results) {
	const relay = await new Relay("--code", CODE).start();
	const browser = new Browser(/** @type {any} */ (relay));
	const rss = () =>
		Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${relay.process?.pid}/status`, "utf8"))?.[1]) / 1024;
	try {
		await browser.launch();
		const file = path.join(relay.home, "bench.js");
		fs.writeFileSync(file, HANDLER);
		const env = { ...process.env, KOLIBRI_HOME: relay.home };
		execFileSync(COMMAND, ["relay", "deploy", "bench", file, "--relay", relay.url], { env });
		const runtime = `${relay.url}_relay/runtime?code=${CODE}`;
		await browser.page.goto(runtime);
		await relay.joined(1, "runtime");
		const url = `${relay.url}@bench/`;
		await load(url, 500, 8);
		if (wants("memory")) {
			const heap = async () => {
				const session = await browser.context.newCDPSession(browser.page);
				await session.send("HeapProfiler.collectGarbage");
				const { usedSize } = await session.send("Runtime.getHeapUsage");
				await session.detach();
				return usedSize / 2 ** 20;
			};
			/** @type {{done: number, relay: number, page: number}[]} */
			const samples = [];
			const parts = 10;
			let failed = 0;
			let perSecond = 0;
			for (let part = 0; part < parts; part++) {
				const one = await load(url, REQUESTS / parts, 32);
				failed += one.failed;
				perSecond += one.perSecond / parts;
				samples.push({ done: ((part + 1) * REQUESTS) / parts, relay: rss(), page: await heap() });
			}
			results.memory = { samples, failed, perSecond };
		}
		// some 70 ms of a core each, beside 5 ms that client, relay and browser take
		const compute = async () => (await load(`${url}compute`, 60, 8)).perSecond;
		const alone = wants("pool") ? median([await compute(), await compute(), await compute()]) : 0;
		for (let n = 2; n <= 4; n++) {
			const page = await browser.context?.newPage();
			await page?.goto(runtime);
		}
		await relay.joined(4, "runtime");
		await load(url, 500, 8);
		if (wants("pool")) {
			results.pool = { alone, four: median([await compute(), await compute(), await compute()]) };
		}
		if (wants("deploy")) {
			const times = [];
			for (let version = 1; version <= 10; version++) {
				fs.writeFileSync(file, `export default () => new Response("${version}");`);
				execFileSync(COMMAND, ["relay", "deploy", "soon", file, "--relay", relay.url], { env });
				const begin = performance.now();
				const all = async () =>
					(await Promise.all(Array.from({ length: 4 }, () => relay.get("@soon/")))).every(
						({ text }) => text === String(version),
					);
				while (!(await all()));
				times.push(performance.now() - begin);
			}
			results.deploy = { median: median(times), most: Math.max(...times), n: times.length };
		}
		if (wants("concurrent")) results.concurrent = { ...(await load(url, 20_000, 1000)), n: 20_000 };
	} finally {
		await browser.remove();
		await relay.remove();
	}
}

/** @type {Record<string, any>} */
const results = {};
if (wants("latency") || wants("throughput")) await kolibri(results);
if (["memory", "pool", "deploy", "concurrent"].some(wants)) await runtimes(results);

const { latency, throughput, concurrent, pool, deploy, memory } = results;
const lines = [
	"# Benchmarks of the relay",
	"",
	`Made by \`bench/relay/run.mjs\` in one run: ${os.cpus().length} cores, ${os.cpus()[0].model}, load ${os.loadavg()[0].toFixed(1)}; medians.`,
	"The ratios are what counts; with a load far above the cores, from other work, latency and pool say little.",
	"",
	"| | without relay | with | |",
	"| --- | ---: | ---: | ---: |",
];
const row = (/** @type {unknown[]} */ ...cells) => lines.push(`| ${cells.join(" | ")} |`);
if (latency) {
	const { direct, relayed } = latency;
	row(
		"`GET /api/public/info/` of a tab, ms",
		direct.toFixed(2),
		relayed.toFixed(2),
		`${(relayed - direct).toFixed(2)} ms more`,
	);
}
if (throughput) {
	const { direct, relayed } = throughput;
	row(
		`a file of ${FILE_MB} MiB, MiB/s`,
		direct.toFixed(0),
		relayed.toFixed(0),
		`${((100 * relayed) / direct).toFixed(0)} %`,
	);
}
if (pool)
	row(
		"computing in 1 and in 4 tabs, requests/s",
		pool.alone.toFixed(1),
		pool.four.toFixed(1),
		`${(pool.four / pool.alone).toFixed(2)}×`,
	);
if (concurrent) {
	lines.push(
		"",
		`1,000 requests at once over 4 tabs, ${concurrent.n} in all: ${concurrent.failed} failed, ${concurrent.perSecond.toFixed(0)} a second.`,
	);
}
if (deploy) {
	lines.push(
		"",
		`Until a deployed version answered from 4 tabs, ${deploy.n} times: ${deploy.median.toFixed(0)} ms, at most ${deploy.most.toFixed(0)} ms.`,
	);
}
if (memory) {
	lines.push(
		"",
		`Memory over ${REQUESTS} requests (${memory.failed} failed, ${memory.perSecond.toFixed(0)} a second, 32 at once):`,
		"",
		"| requests | relay, MiB | runtime's page after collection, MiB |",
		"| ---: | ---: | ---: |",
	);
	for (const { done, relay, page } of memory.samples) row(done, relay.toFixed(1), page.toFixed(1));
}
const text = `${lines.join("\n")}\n`;
console.log(text);
if (!only) fs.writeFileSync("docs/relay-benchmarks.md", text);
