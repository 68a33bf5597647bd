// `make bench-sync`: the stages of a transfer beside a real Kolibri 0.19.5, on the same records, in turn, each
// by itself, natively and in a browser; what memory a browser needs for ten times as many; and what a
// synchronization costs with few and with many records stored. Writes docs/benchmarks-sync.md.
//
//   KOLIBRI_REFERENCE   command of a real Kolibri 0.19.5
//   RECORDS             how many answers travel (10000; the Go benchmark knows 1000, 10000 and 100000)
//   MANY                how many a browser's memory is measured with (100000)
//   ROUNDS              how often everything is measured (3)

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const RECORDS = Number(process.env.RECORDS ?? 10_000);
const MANY = Number(process.env.MANY ?? 100_000);
const CHUNK = 500;
const reference = process.env.KOLIBRI_REFERENCE ?? path.resolve(".cache/kolibri-0.19.5/bin/kolibri");
const python = path.join(path.dirname(reference), "python");
const STAGES = ["serialize", "queue", "read", "buffer", "dequeue", "deserialize"];

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * What a Go benchmark reports, by the benchmark's name and the metric's.
 * @param {string} folder @param {string} name @param {string} times @param {Record<string, string>} [env]
 */
function go(folder, name, times, env = {}) {
	const args = ["test", folder, "-run", "^$", "-bench", name, "-benchtime", times, "-timeout", "60m"];
	return reported(execFileSync("go", args, { encoding: "utf8", env: { ...process.env, ...env } }));
}

/** The stages in a browser. @param {number} records */
function browser(records) {
	const args = ["-test.run=^$", `-test.bench=Stages/${records}$`, "-test.benchtime=1x", "-test.timeout=60m"];
	const said = execFileSync(process.execPath, ["e2e/storage/run.mjs", "./morango/transfer", ...args], {
		encoding: "utf8",
	});
	return reported(said)[`BenchmarkStages/${records}`];
}

/** @param {string} said what Go printed */
function reported(said) {
	/** @type {Record<string, Record<string, number>>} */
	const found = {};
	for (const line of said.split("\n").filter((text) => text.startsWith("Benchmark"))) {
		const [of, , ...metrics] = line.trim().split(/\s+/);
		const values = metrics.map((_, i) => [metrics[i + 1], Number(metrics[i])]).filter((_, i) => i % 2 === 0);
		found[of.replace(/-\d+$/, "")] = Object.fromEntries(values);
	}
	return found;
}

/**
 * The original's stages in seconds of the processor.
 * @param {string} home @param {string} what @param {string} chunks
 * @returns {Record<string, number>}
 */
function original(home, what, chunks) {
	const env = {
		...process.env,
		KOLIBRI_HOME: home,
		KOLIBRI_RUN_MODE: "dev",
		KOLIBRI_DISABLE_PING: "True",
		KOLIBRI_ZEROCONF_ENABLED: "False",
	};
	const args = ["bench/sync/stages.py", what, chunks, String(CHUNK)];
	const said = execFileSync(python, args, { encoding: "utf8", env, stdio: ["ignore", "pipe", "ignore"] });
	return JSON.parse(said.trim().split("\n").at(-1) ?? "{}");
}

const work = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-bench-sync-"));
try {
	/** @type {Record<string, { python: number[], ours: number[], tab: number[] }>} */
	const rates = Object.fromEntries(STAGES.map((stage) => [stage, { python: [], ours: [], tab: [] }]));
	for (let round = 0; round < ROUNDS; round++) {
		const database = path.join(work, "records.sqlite3");
		const env = { KOLIBRI_BENCH_HOME: database };
		const measured = go("./morango/transfer", `Stages/${RECORDS}$`, "1x", env)[`BenchmarkStages/${RECORDS}`];
		const [from, to] = ["from", "to"].map((name) => path.join(work, `${name}${round}`));
		fs.mkdirSync(from);
		fs.renameSync(database, path.join(from, "db.sqlite3"));
		const chunks = path.join(work, "chunks");
		const seconds = { ...original(from, "produce", chunks), ...original(to, "consume", chunks) };
		const tab = browser(RECORDS);
		for (const stage of STAGES) {
			rates[stage].python.push(RECORDS / seconds[stage]);
			rates[stage].ours.push(measured[`${stage}/s`]);
			rates[stage].tab.push(tab[`${stage}/s`]);
		}
		console.error(`round ${round + 1}`, rates);
	}
	const memory = browser(MANY)["memory-MB"];
	const stored = go("./core/auth/syncing", "Stored", "5x");
	const row = (/** @type {number} */ size) =>
		["0_new", "100_new"].map((of) => (stored[`BenchmarkStored/${size}/${of}`]["ns/op"] / 1e6).toFixed(0));
	const number = (/** @type {number} */ v) => Math.round(v).toLocaleString("en");
	fs.writeFileSync(
		"docs/benchmarks-sync.md",
		`# Synchronization beside a real Kolibri 0.19.5

Made by \`make bench-sync\` (\`bench/sync.mjs\`): ${number(RECORDS)} answers of a learner, of about 1.7 kB each, on the
same records and in turn; medians of ${ROUNDS} rounds; ${os.cpus().length} cores, ${os.cpus()[0].model}, load
${os.loadavg()[0].toFixed(1)}. The ratios are what counts. A second is one of the processor, so that what else the machine does counts for neither.

| records/s | Python | Go | faster | in a browser | faster |
| --- | ---: | ---: | ---: | ---: | ---: |
${STAGES.map((stage) => {
	const [theirs, ours, tab] = [rates[stage].python, rates[stage].ours, rates[stage].tab].map(median);
	const faster = (/** @type {number} */ rate) => `${number(rate)} | ${(rate / theirs).toFixed(1)}×`;
	return `| ${stage} | ${number(theirs)} | ${faster(ours)} | ${faster(tab)} |`;
}).join("\n")}

"read" and "buffer" are what the two sides do for a chunk on the wire: records to JSON, and from JSON into the buffers.
The Python client sleeps between chunks and stages; that is not in here. A browser tells no program its time of the
processor: there it is seconds by the clock, with both databases in the browser's private file system.

A browser takes ${number(MANY)} answers through all stages in ${memory.toFixed(0)} MB of its WebAssembly memory, the databases and
caches of both devices in one.

A whole synchronization in both directions between two devices over HTTP on one machine, by how many records both have
stored for long:

| ms | nothing new | 100 new records |
| --- | ---: | ---: |
| 10,000 stored | ${row(10_000).join(" | ")} |
| 1,000,000 stored | ${row(1_000_000).join(" | ")} |
`,
	);
} finally {
	fs.rmSync(work, { recursive: true, force: true });
}
