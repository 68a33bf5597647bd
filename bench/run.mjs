// `make bench`: this project beside a real Kolibri 0.19.5 and beside the same Kolibri on Pyodide, in
// one run on one machine. Everything is interleaved and reported as medians; what counts are the
// ratios, which docs/benchmarks.md keeps.
//
//   KOLIBRI_REFERENCE   command of a real Kolibri 0.19.5 (pip install kolibri==0.19.5); the one that
//                       e2e/native/interop has installed where that is there
//   KOLIBRI_NATIVE      the native command (bin/kolibri)
//   PYODIDE_DIR         a folder with measure.mjs, which times Kolibri on Pyodide; without it that part is left out
//   KOLIBRI_WHEEL       the wheel that it unpacks (the one of .cache/wheel)
//   ROUNDS              how often everything is measured (5)
//   ONLY                start, requests, pages, boot: parts to run, separated by commas

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Browser, sleep, until } from "../e2e/lib/browser.mjs";
import { BUILD, Site } from "../e2e/lib/site.mjs";
import { Pages } from "./pages.mjs";
import { report } from "./report.mjs";
import { fill, REQUESTS } from "./requests.mjs";
import { makeSchool, signIn } from "./school.mjs";
import { Client, Native } from "./servers.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const REPEATS = 5;
const installed = path.resolve(".cache/kolibri-0.19.5/bin/kolibri");
const reference = process.env.KOLIBRI_REFERENCE ?? (fs.existsSync(installed) ? installed : "");
process.env.KOLIBRI_WHEEL ??= fs
	.readdirSync(".cache/wheel")
	.filter((name) => name.endsWith(".whl"))
	.map((name) => path.resolve(".cache/wheel", name))[0];
const ours = path.resolve(process.env.KOLIBRI_NATIVE ?? "bin/kolibri");
const only = process.env.ONLY?.split(",");

const median = (/** @type {number[]} */ values) =>
	values.length ? values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] : Number.NaN;

const log = (/** @type {unknown[]} */ ...line) => console.error(...line);

/** From starting the program to its first answer, on a new home and on one that was used. */
async function starts() {
	const times = { first: { reference: [], ours: [] }, again: { reference: [], ours: [] } };
	for (let round = 0; round < ROUNDS; round++) {
		for (const [name, command] of /** @type {const} */ ([
			["reference", reference],
			["ours", ours],
		])) {
			const server = new Native(name, command);
			try {
				times.first[name].push(await server.start());
				await server.stop();
				times.again[name].push(await server.start());
			} finally {
				await server.remove();
			}
		}
	}
	return times;
}

/** Runs fn with a real Kolibri, our server and the tab, each with the same school. */
async function withAll(fn) {
	const servers = [new Native("reference", reference), new Native("ours", ours)];
	const site = new Site();
	/** @type {Pages[]} */
	const pages = [];
	try {
		await site.start();
		for (const s of servers) await s.start();
		const targets = [
			...servers.map((s) => ({ name: s.name, url: s.url, tab: false })),
			{ name: "tab", url: site.url, tab: true },
		];
		const schools = {};
		for (const target of targets) {
			const p = await new Pages(target).launch();
			pages.push(p);
			await p.open("");
			schools[target.name] = await makeSchool((...request) => p.send(...request));
			log(`${target.name} has its school`);
		}
		return await fn(pages, schools);
	} finally {
		for (const p of pages) await p.close();
		for (const s of servers) await s.remove();
		await site.remove();
	}
}

let counter = 0;
const number = () => ++counter;

/** Every request on every server, as a page sees it and, on the native ones, without a browser. */
async function requests(pages, schools) {
	const clients = {};
	for (const p of pages.filter((p) => !p.target.tab)) clients[p.target.name] = new Client(p.target.url);
	const times = REQUESTS.map((request) => ({ request, seen: {}, wire: {}, status: {} }));
	for (const user of ["admin", "learner0"]) {
		for (const p of pages) {
			await signIn((...r) => p.send(...r), schools[p.target.name].facility, user);
			// a page without animation or polling, which would take the processor from what is measured
			await p.go("en/profile/");
			if (clients[p.target.name])
				await signIn((...r) => clients[p.target.name].send(...r), schools[p.target.name].facility, user);
		}
		for (let round = 0; round < ROUNDS; round++) {
			for (const t of times.filter((t) => t.request.as === user)) {
				for (const p of pages) {
					const name = p.target.name;
					const { method, at } = fill(t.request, schools[name], number);
					const bodies = () =>
						Array.from({ length: REPEATS }, () => fill(t.request, schools[name], number).body ?? null);
					const answers = await p.times(method, at, bodies());
					t.status[name] = answers[0].status;
					t.seen[name] ??= [];
					t.seen[name].push(...answers.map((a) => a.ms));
					if (!clients[name]) continue;
					t.wire[name] ??= [];
					for (const body of bodies())
						t.wire[name].push((await clients[name].send(method, at, body ?? undefined)).ms);
				}
			}
		}
	}
	return times.map(({ request, seen, wire, status }) => ({
		request: `${request.method} /${request.at}`,
		as: request.as,
		status,
		seen: Object.fromEntries(Object.entries(seen).map(([n, v]) => [n, median(v)])),
		wire: Object.fromEntries(Object.entries(wire).map(([n, v]) => [n, median(v)])),
	}));
}

const TOUR = ["en/learn/", "en/facility/", "en/coach/", "en/device/"];

/** From leaving one page of Kolibri's to the next one's content. */
async function pageChanges(pages, schools) {
	const times = TOUR.map((at) => ({ at, ms: {} }));
	for (const p of pages) await signIn((...r) => p.send(...r), schools[p.target.name].facility, "admin");
	for (let round = 0; round < ROUNDS + 1; round++) {
		for (const t of times) {
			for (const p of pages) {
				const ms = await p.go(t.at);
				t.ms[p.target.name] ??= [];
				if (round > 0) t.ms[p.target.name].push(ms); // the first round fills the caches
			}
		}
	}
	return times.map(({ at, ms }) => ({
		at,
		ms: Object.fromEntries(Object.entries(ms).map(([n, v]) => [n, median(v)])),
	}));
}

/** A browser that has just come up is busy with its own windows; nobody types an address before it shows them. */
const COMING_UP_MS = 2_500;

/** How long the first session lasts. Chromium writes its compiled code to the disk as it comes, and last when people stay. */
const SESSION_MS = 20_000;

/**
 * From an address typed to the first answer of the API: in a new profile, and in the next session of
 * the browser. (Pyodide's second visit is one in a browser that is still running.)
 */
async function boots() {
	const marks = ["module", "database", "answering"];
	const times = { first: {}, next: {}, pyodide: { first: [], next: [] } };
	for (let round = 0; round < ROUNDS; round++) {
		const site = await new Site().start();
		const browser = new Browser(site);
		try {
			for (const session of /** @type {const} */ (["first", "next"])) {
				await browser.launch();
				await sleep(COMING_UP_MS);
				await browser.open();
				await until(() => browser.mark("kolibri:answering"), "the first answer");
				for (const name of marks) {
					times[session][name] ??= [];
					times[session][name].push(await browser.mark(`kolibri:${name}`));
				}
				await browser.mounted();
				if (session === "first") await sleep(SESSION_MS);
				await browser.close();
			}
		} finally {
			await browser.remove();
			await site.remove();
		}
		if (process.env.PYODIDE_DIR && round < 3) {
			const out = execFileSync("node", ["measure.mjs"], { cwd: process.env.PYODIDE_DIR, encoding: "utf8" });
			const [first, next] = out
				.trim()
				.split("\n")
				.map((line) => JSON.parse(line).ms_since_navigation.answered);
			times.pyodide.first.push(first);
			times.pyodide.next.push(next);
			log("Pyodide", first, next);
		}
		log("tab", times.first.answering.at(-1), times.next.answering.at(-1));
	}
	const medians = (/** @type {Record<string, number[]>} */ all) =>
		Object.fromEntries(Object.entries(all).map(([n, v]) => [n, median(v)]));
	return { first: medians(times.first), next: medians(times.next), pyodide: medians(times.pyodide) };
}

/** Bytes of what is built: as it is, and as the best compression leaves it. */
function sizes() {
	const of = (/** @type {string} */ folder, /** @type {RegExp} */ pattern) => {
		/** @type {Map<string, fs.Stats & {file: string}>} */
		const newest = new Map(); // the files of earlier builds stay for a while, under other hashes
		for (const entry of fs.readdirSync(path.join(BUILD, folder), { recursive: true, withFileTypes: true })) {
			const file = path.join(entry.parentPath, entry.name);
			if (!entry.isFile() || /\.(br|gz)$/.test(entry.name) || !pattern.test(entry.name)) continue;
			const found = Object.assign(fs.statSync(file), { file });
			const name = folder === "app" ? file.replace(/-[0-9a-f]+\./, ".") : file;
			if (found.mtimeMs > (newest.get(name)?.mtimeMs ?? 0)) newest.set(name, found);
		}
		let raw = 0;
		let packed = 0;
		for (const { file, size } of newest.values()) {
			raw += size;
			packed += fs.existsSync(`${file}.br`) ? fs.statSync(`${file}.br`).size : size;
		}
		return { raw, packed };
	};
	return {
		"server (wasm)": of("app", /\.wasm$/),
		"shell, worker, shim": of("app", /\.(js|css)$/),
		"empty database": of("app", /\.sqlite3$/),
		"Kolibri's front end": of("static", /./),
		"native command": { raw: fs.statSync(ours).size, packed: Number.NaN },
	};
}

const wants = (/** @type {string} */ part) => !only || only.includes(part);
if (!reference) throw new Error("KOLIBRI_REFERENCE must name the command of a real Kolibri 0.19.5");
const results = {
	machine: `${os.cpus().length} cores, ${os.cpus()[0].model}, ${Math.round(os.totalmem() / 2 ** 30)} GB, load ${os.loadavg()[0].toFixed(1)}`,
	rounds: ROUNDS,
	sizes: sizes(),
};
if (wants("start")) results.starts = await starts();
if (wants("boot")) results.boots = await boots();
if (wants("requests") || wants("pages"))
	await withAll(async (pages, schools) => {
		if (wants("requests")) results.requests = await requests(pages, schools);
		if (wants("pages")) results.pages = await pageChanges(pages, schools);
		results.memory = await pages.find((p) => p.target.tab)?.moduleMemory();
	});
if (fs.existsSync(".cache/bench-cloud.json"))
	results.cloud = JSON.parse(fs.readFileSync(".cache/bench-cloud.json", "utf8"));
fs.mkdirSync(".cache", { recursive: true });
fs.writeFileSync(".cache/bench.json", JSON.stringify(results, null, 1));
const text = report(results);
console.log(text);
if (!only) fs.writeFileSync("docs/benchmarks.md", text);
