// `make bench-facility`: the native command and the tab beside a real Kolibri 0.19.5 on one big school,
// which bench/bigschool makes: what its coaches and its administrator wait for. All answer the same
// requests on copies of one home, in turn; their answers are compared, too. The native command is
// measured without a browser, the tab as a page of Kolibri's sees it, each beside a real Kolibri that
// is asked in the same way.
//
//   KOLIBRI_REFERENCE   command of a real Kolibri 0.19.5
//   KOLIBRI_NATIVE      the native command (bin/kolibri)
//   SCHOOL              a home made by bench/bigschool/generate, which is left as it is
//   ROUNDS              how often everything is measured (5); jobs a third as often
//   IMPORT              how many accounts are imported (5000), once
//   OUT                 the file to write (docs/benchmarks-facility.md)

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sleep, until } from "../e2e/lib/browser.mjs";
import { Site } from "../e2e/lib/site.mjs";
import { Pages } from "./pages.mjs";
import { signIn } from "./school.mjs";
import { Client, Native } from "./servers.mjs";

/** @typedef {{status: number, text: string, ms: number}} Answer */
/**
 * Something that can be asked: a client of a server, or a page.
 * @typedef {{name: string, send(method: string, at: string, body?: unknown): Promise<Answer>,
 *   upload(at: string, fields: Record<string, string>, file: {field: string, name: string, text: string}): Promise<Answer>}} Side
 */

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const IMPORT = Number(process.env.IMPORT ?? 5000);
const OUT = process.env.OUT ?? "docs/benchmarks-facility.md";
const reference = process.env.KOLIBRI_REFERENCE ?? path.resolve(".cache/kolibri-0.19.5/bin/kolibri");
const ours = path.resolve(process.env.KOLIBRI_NATIVE ?? "bin/kolibri");
const home = process.env.SCHOOL ?? ".cache/bigschool";
const school = JSON.parse(fs.readFileSync(path.join(home, "school.json"), "utf8"));

const REQUESTS = [
	"coach/api/classsummary/{class}/",
	"coach/api/lessonreport/",
	"coach/api/lessonreport/{lesson}/",
	"coach/api/quizdifficulties/{quiz}/",
	"coach/api/exercisedifficulties/{exercise}/?classroom_id={class}",
	"coach/api/exercisedifficulties/{exercise}/?classroom_id={class}&lesson_id={lesson}",
	"coach/api/practicequizdifficulties/{drill}/?classroom_id={class}&lesson_id={lesson}",
	"coach/api/notifications/?classroom_id={class}&limit=10",
	"coach/api/notifications/?classroom_id={class}&after=2020-01-01T00:00:00Z",
	"api/lessons/lesson/?collection={class}",
	"api/exams/exam/?collection={class}",
	"api/attendance/attendancesession/?collection={class}",
	"api/auth/facilityuser/?member_of={facility}&page=1&page_size=30",
	"api/auth/facilityuser/?member_of={facility}&search=learner49&page=1&page_size=30",
	"api/auth/facilityuser/?member_of={class}",
	"api/auth/classroom/?parent={facility}",
	"api/logger/attemptlog/?user={learner}&content={exercise}",
];

/** Exports: what they are called, and what starts them. @type {[string, Record<string, unknown>][]} */
const JOBS = [
	["CSV of all users", { type: "kolibri.core.auth.tasks.exportuserstocsv" }],
	["CSV of all sessions", { type: "kolibri.core.logger.tasks.exportsessionlogcsv" }],
	["CSV of all summaries", { type: "kolibri.core.logger.tasks.exportsummarylogcsv" }],
];
const WINDOW = { start_date: "2000-01-01T00:00:00Z", end_date: "2100-01-01T00:00:00Z" };

/** @param {string} at */
const fill = (at) =>
	at.replace(
		/\{(\w+)\}/g,
		(_, name) =>
			({
				class: school.Classes[0],
				facility: school.Facility,
				lesson: school.Lessons[0],
				quiz: school.Quizzes[0],
				exercise: school.Exercise,
				drill: school.Drill,
				learner: school.Learners[0],
			})[name],
	);

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * An answer with its lists in an order of their own: the original leaves many to the database.
 * @param {any} value
 * @returns {any}
 */
function ordered(value) {
	if (Array.isArray(value)) return value.map((v) => JSON.stringify(ordered(v))).toSorted();
	if (value === null || typeof value !== "object") return value;
	return Object.fromEntries(
		Object.keys(value)
			.toSorted()
			.filter((name) => name !== "coaches_polling")
			.map((name) => [name, ordered(value[name])]),
	);
}

/**
 * The answer, which must be a good one.
 * @param {Side} side @param {string} what @param {Promise<Answer>} answer
 */
async function good(side, what, answer) {
	const { status, text, ms } = await answer;
	if (status !== 200) throw new Error(`${side.name}: ${what}: ${status} ${text.slice(0, 300)}`);
	return { text, ms };
}

/**
 * How many milliseconds a job takes from the request that starts it until it is known to be done.
 * @param {Side} side @param {string} what @param {() => Promise<Answer>} start
 */
async function job(side, what, start) {
	const begin = performance.now();
	const { id } = JSON.parse((await good(side, what, start())).text);
	for (;;) {
		const { text } = await good(side, what, side.send("GET", `api/tasks/tasks/${id}/`));
		const { status, exception } = JSON.parse(text);
		if (status === "COMPLETED") return performance.now() - begin;
		if (status === "FAILED" || status === "CANCELED") throw new Error(`${side.name}: ${what}: ${exception}`);
		await sleep(20);
	}
}

/** The file of accounts to import, all of them new. */
function accounts() {
	const head =
		"Database ID (UUID),Username (USERNAME),Password (PASSWORD),Full name (FULL_NAME),User type (USER_TYPE)," +
		"Identifier (IDENTIFIER),Birth year (BIRTH_YEAR),Gender (GENDER),Learner enrollment (ENROLLED_IN),Coach assignment (ASSIGNED_TO)\r\n";
	const line = (/** @type {number} */ n) =>
		`,new${n},pass-${n},New ${n},LEARNER,N-${n},2012,,New class ${n % 100},\r\n`;
	return head + Array.from({ length: IMPORT }, (_, n) => line(n)).join("");
}

/**
 * Puts the school in the tab's place of data, by the shell's own screen.
 * @param {Pages} tab
 */
async function restore(tab) {
	const { page } = tab.browser;
	await tab.open("");
	await page.getByRole("button", { name: "Storage and backup" }).click();
	await page.getByLabel("Backup file").setInputFiles(path.join(home, "db.sqlite3"));
	await page.getByRole("button", { name: "Replace everything" }).click();
	await page.getByText("Kolibri starts with the restored data").waitFor({ timeout: 600_000 });
	await page.getByRole("button", { name: "Close" }).click();
	await until(async () => /\/en\/(?!setup)/.test((await tab.frame()).url()), "the restored school");
	await tab.mounted();
}

const ms = (/** @type {number} */ v) => (v < 10 ? v.toFixed(1) : v.toFixed(0));
const times = (/** @type {number} */ v) => `${v < 10 ? v.toFixed(1) : v.toFixed(0)}×`;

/** @type {{what: string, ms: number[], same: string}[]} */
const rows = [];
const log = (/** @type {string} */ line) => console.error(line);

const servers = [new Native("ours", ours), new Native("reference", reference)];
const site = new Site();
/** @type {Pages[]} */
const pages = [];
try {
	fs.copyFileSync(path.join(home, "db.sqlite3"), path.join(servers[0].home, "db.sqlite3"));
	// the first orderly stop writes the files that the original keeps beside the database
	await servers[0].start();
	await servers[0].stop();
	fs.cpSync(servers[0].home, servers[1].home, { recursive: true });
	for (const s of servers) await s.start();
	await site.start();
	for (const target of [
		{ name: "tab", url: /** @type {any} */ (site).url, tab: true },
		{ name: "reference", url: servers[1].url, tab: false },
	]) {
		const p = await new Pages(target).launch();
		pages.push(p);
		if (target.tab) await restore(p);
		else await p.open("");
		log(`${target.name} shows a page`);
	}
	/** @type {Side[]} */
	const sides = [
		...servers.map((s) => Object.assign(new Client(s.url), { name: s.name })),
		...pages.map((p) => Object.assign(p, { name: `the page of ${p.target.name}` })),
	];
	for (const side of sides) {
		const { status } = await signIn((...r) => side.send(...r), school.Facility, "admin");
		if (status !== 200) throw new Error(`${side.name}: signing in: ${status}`);
	}
	// pages without animation or polling, which would take the processor from what is measured
	for (const p of pages) await p.go("en/profile/");

	for (const at of REQUESTS) {
		const spent = sides.map(() => /** @type {number[]} */ ([]));
		const texts = sides.map(() => "");
		for (let round = 0; round <= ROUNDS; round++) {
			for (const [n, side] of sides.entries()) {
				const answer = await good(side, at, side.send("GET", fill(at)));
				texts[n] = JSON.stringify(ordered(JSON.parse(answer.text)));
				if (round > 0) spent[n].push(answer.ms); // the first round fills the caches
			}
		}
		const same = texts.every((text) => text === texts[0]);
		rows.push({ what: `\`${at}\``, ms: spent.map(median), same: same ? "yes" : "no" });
		log(`${at}: ${spent.map(median).map(ms).join(" ")} ${same ? "" : "different answers"}`);
		if (!same && process.env.DEBUG) {
			for (const [n, text] of texts.entries())
				fs.writeFileSync(path.join(process.env.DEBUG, `${sides[n].name}.json`), text);
		}
	}
	for (const [what, task] of JOBS) {
		const body = {
			...task,
			facility: school.Facility,
			locale: "en",
			...(/logcsv/.test(`${task.type}`) ? WINDOW : {}),
		};
		const spent = sides.map(() => /** @type {number[]} */ ([]));
		for (let round = 0; round < Math.ceil(ROUNDS / 3); round++) {
			for (const [n, side] of sides.entries()) {
				spent[n].push(await job(side, what, () => side.send("POST", "api/tasks/tasks/", body)));
			}
		}
		rows.push({ what, ms: spent.map(median), same: "" });
		log(`${what}: ${spent.map(median).map(ms).join(" ")}`);
	}
	if (IMPORT > 0) {
		// the two ways to ask the original would import the same accounts twice
		const fields = {
			type: "kolibri.core.auth.tasks.importusersfromcsv",
			facility: school.Facility,
			locale: "en",
			delete: "false",
			dryrun: "false",
		};
		const file = { field: "csvfile", name: "new.csv", text: accounts() };
		const what = `importing ${IMPORT} accounts`;
		const spent = [];
		for (const side of sides.slice(0, 3))
			spent.push(await job(side, what, () => side.upload("api/tasks/tasks/", fields, file)));
		rows.push({ what, ms: [...spent, spent[1]], same: "" });
		log(`${what}: ${spent.map(ms).join(" ")}`);
	}
} finally {
	for (const p of pages) await p.close();
	for (const s of servers) await s.remove();
	await site.remove();
}

const native = rows.map((r) => r.ms[1] / r.ms[0]);
const inTab = rows.map((r) => r.ms[3] / r.ms[2]);
fs.writeFileSync(
	OUT,
	`# Benchmarks of a big school

Made by \`make bench-facility\` (\`bench/facility.mjs\`) on ${os.cpus().length} × ${os.cpus()[0].model.trim()}: ${school.Learners.length} learners in
${school.Classes.length} classes and their logs, medians of ${ROUNDS} rounds, all in turn. "Python" is a real Kolibri 0.19.5. The native command is
asked without a browser, the tab by a page of Kolibri's; Python in both ways.

| ms | Python | Go | faster | Python, in a page | tab | faster | same answer |
|---|---:|---:|---:|---:|---:|---:|---|
${rows
	.map((r, n) =>
		[
			"",
			r.what,
			ms(r.ms[1]),
			ms(r.ms[0]),
			times(native[n]),
			ms(r.ms[3]),
			ms(r.ms[2]),
			times(inTab[n]),
			r.same,
			"",
		]
			.join(" | ")
			.trim(),
	)
	.join("\n")}

Native: median ${times(median(native))}, smallest ${times(Math.min(...native))}. In the tab: median ${times(median(inTab))}, smallest ${times(Math.min(...inTab))}.
`,
);
console.log(fs.readFileSync(OUT, "utf8"));
