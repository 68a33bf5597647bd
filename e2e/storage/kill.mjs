// Kill test: does a database survive what browsers do to workers and users do to browsers?
//
//     node e2e/storage/kill.mjs [--short] [--only=opfs|idb|controls]
//
// A writer (writer/) runs transactions through the server's own store in a dedicated worker. It is
// killed at random moments, by worker.terminate() or by SIGKILL of the whole browser. After each
// kill a new one checks: integrity_check says ok, every transaction is there whole or not at all,
// and none that was acknowledged is missing. Then it writes on, into the same database.
//
// The controls run the same harness on writers that do it wrong. It must catch each of them.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { serve, temporaryDirectory } from "./chromium.mjs";
import { buildForBrowser, commonFiles } from "./go.mjs";
import { Victim } from "./victim.mjs";

const { values } = parseArgs({
	options: { short: { type: "boolean" }, only: { type: "string" } },
});

/** @typedef {"worker" | "browser"} Kill */

/** @type {Record<string, {backend: string, worker: number, browser: number}[]>} */
const RUNS = {
	opfs: [{ backend: "opfs", worker: values.short ? 8 : 150, browser: values.short ? 4 : 65 }],
	idb: [{ backend: "idb", worker: values.short ? 3 : 30, browser: values.short ? 2 : 12 }],
};

// A terminated worker may run on for two seconds, but says nothing more: only the death of the whole
// browser can show that something was acknowledged too early.
/** @type {{control: string, means: string, kill: Kill, expect: RegExp}[]} */
const CONTROLS = [
	{ control: "journal", means: "no journal", kill: "worker", expect: /damaged|malformed|partial/ },
	{ control: "split", means: "no transaction", kill: "worker", expect: /partial/ },
	{ control: "acknowledge", means: "says committed too early", kill: "browser", expect: /lost/ },
];
const CONTROL_KILLS = 25;

const temporary = await temporaryDirectory();
const wasm = join(temporary.path, "writer.wasm");
let passed = true;
/** @type {Awaited<ReturnType<typeof serve>> | undefined} */
let server;
try {
	buildForBrowser(["build", "-o", wasm, "./e2e/storage/writer"]);
	server = await serve({ ...commonFiles(), "/writer.wasm": wasm });
	for (const [name, runs] of Object.entries(RUNS)) {
		if (values.only && values.only !== name) continue;
		for (const run of runs) passed = (await survives(run)) && passed;
	}
	if (!values.only || values.only === "controls") {
		for (const control of CONTROLS) passed = (await isCaught(control)) && passed;
	}
} finally {
	server?.close();
	await temporary.remove();
}
console.log(passed ? "PASS" : "FAIL");
process.exit(passed ? 0 : 1);

/**
 * Kills a writer again and again.
 * @param {string} name of the browser profile
 * @param {string[]} args of the writer
 * @param {Kill[]} kills
 * @returns {Promise<{commits: number[], opens: number[], problem?: string}>} commits between kills,
 *     milliseconds of each opening, and the first problem found, at which it stops
 */
async function killRepeatedly(name, args, kills) {
	const origin = /** @type {{origin: string}} */ (server).origin;
	const victim = new Victim({ profile: join(temporary.path, name), origin });
	/** @type {number[]} */
	const commits = [];
	/** @type {number[]} */
	const opens = [];
	let found = 0;
	try {
		for (const [index, kill] of [...kills, /** @type {const} */ ("check")].entries()) {
			if (!victim.running) await victim.launch();
			const busy = Math.random() < 0.5 ? ["busy=1"] : [];
			const start = await victim.startWriter([...args, ...busy]);
			if (start.failed) return { commits, opens, problem: start.failed };
			const checked = start.checked ?? 0;
			opens.push(start.openMs ?? 0);
			if (checked < victim.acknowledged) {
				const problem = `lost: ${victim.acknowledged} was acknowledged, the last one found is ${checked}`;
				return { commits, opens, problem };
			}
			if (index > 0) commits.push(checked - found);
			found = checked;
			if (kill === "check") break;
			await victim.hasCommitted(found + between());
			await sleep(Math.random() * 40);
			if (kill === "worker") await victim.terminateWorker();
			else await victim.killBrowser();
			if (index % 10 === 9) console.log(`  ${index + 1} kills, ${found} transactions`);
		}
		return { commits, opens };
	} finally {
		await victim.killBrowser();
	}
}

/** @param {{backend: string, worker: number, browser: number}} run */
async function survives({ backend, worker, browser }) {
	const kills = shuffled([...Array(worker).fill("worker"), ...Array(browser).fill("browser")]);
	console.log(`${backend}: ${worker} terminated workers and ${browser} killed browsers`);
	const { commits, opens, problem } = await killRepeatedly(backend, [`backend=${backend}`], kills);
	console.log(`  kills survived: ${commits.length}`);
	console.log(
		`  commits between two kills: ${spread(commits)}, none in ${commits.filter((n) => n === 0).length}`,
	);
	console.log(`  transactions in all: ${commits.reduce((a, b) => a + b, 0)}`);
	console.log(`  milliseconds to open: ${spread(opens)}`);
	if (problem) console.log(`  FAILED: ${problem}`);
	const idle = commits.filter((n) => n === 0).length > commits.length / 4;
	if (idle) console.log("  FAILED: too few commits lay between the kills to prove anything");
	return !problem && !idle;
}

/** @param {(typeof CONTROLS)[number]} control */
async function isCaught({ control, means, kill, expect }) {
	const kills = Array(CONTROL_KILLS).fill(kill);
	const args = ["backend=opfs", `control=${control}`];
	const { commits, problem = "nothing was noticed" } = await killRepeatedly(control, args, kills);
	const caught = expect.test(problem);
	console.log(
		`control, ${means}: ${caught ? "caught" : "NOT CAUGHT"} at kill ${commits.length + 1}: ${problem.slice(0, 200)}`,
	);
	return caught;
}

/** @param {number[]} numbers */
function spread(numbers) {
	const sorted = [...numbers].sort((a, b) => a - b);
	const at = (/** @type {number} */ part) =>
		sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
	return `least ${at(0)}, 10% ${at(0.1)}, median ${at(0.5)}, 90% ${at(0.9)}, most ${at(1)}`;
}

/** @template T @param {T[]} items */
function shuffled(items) {
	for (let i = items.length - 1; i > 0; i--) {
		const j = Math.floor(Math.random() * (i + 1));
		[items[i], items[j]] = [items[j], items[i]];
	}
	return items;
}

/** How many commits shall lie between two kills; one kill in ten strikes at once. */
function between() {
	return Math.random() < 0.1 ? 0 : 5 + Math.floor(Math.random() * Math.random() * 250);
}

/** @param {number} ms */
function sleep(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
