// `make bench-facility`: the native command beside a real Kolibri 0.19.5 on one big school, which
// bench/bigschool makes: what its coaches and its administrator wait for. Both sides answer the same
// requests on copies of one home, in turn; their answers are compared, too.
//
//   KOLIBRI_REFERENCE   command of a real Kolibri 0.19.5
//   KOLIBRI_NATIVE      the native command (bin/kolibri)
//   SCHOOL              a home made by bench/bigschool/generate, which is left as it is
//   ROUNDS              how often everything is measured (5)

import fs from "node:fs";
import path from "node:path";
import { signIn } from "./school.mjs";
import { Client, Native } from "./servers.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
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
	"api/auth/facilityuser/?member_of={facility}&page=1&page_size=30",
	"api/auth/facilityuser/?member_of={class}",
	"api/logger/attemptlog/?user={learner}&content={exercise}",
];

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

const servers = [new Native("ours", ours), new Native("reference", reference)];
try {
	fs.copyFileSync(path.join(home, "db.sqlite3"), path.join(servers[0].home, "db.sqlite3"));
	// the first orderly stop writes the files that the original keeps beside the database
	await servers[0].start();
	await servers[0].stop();
	fs.cpSync(servers[0].home, servers[1].home, { recursive: true });
	const clients = [];
	for (const s of servers) {
		await s.start();
		const client = new Client(s.url);
		const { status, text } = await signIn((...r) => client.send(...r), school.Facility, "admin");
		if (status !== 200) throw new Error(`${s.name}: ${status} ${text.slice(0, 300)}`);
		clients.push(client);
	}
	console.log("| request | ours | Kolibri | ratio | same answer |\n| --- | --- | --- | --- | --- |");
	const ratios = [];
	for (const at of REQUESTS) {
		const times = clients.map(() => /** @type {number[]} */ ([]));
		const texts = clients.map(() => "");
		for (let round = 0; round <= ROUNDS; round++) {
			for (const [n, client] of clients.entries()) {
				const { status, text, ms } = await client.send("GET", fill(at));
				if (status !== 200) throw new Error(`${servers[n].name}: ${at}: ${status} ${text.slice(0, 300)}`);
				texts[n] = text;
				if (round > 0) times[n].push(ms); // the first round fills the caches
			}
		}
		const [mine, theirs] = times.map(median);
		ratios.push(theirs / mine);
		const [a, b] = texts.map((text) => JSON.stringify(ordered(JSON.parse(text))));
		console.log(
			`| ${at} | ${mine.toFixed(1)} ms | ${theirs.toFixed(1)} ms | ${(theirs / mine).toFixed(1)} | ${a === b ? "yes" : "no"} |`,
		);
		if (a !== b && process.env.DEBUG) {
			for (const [n, text] of [a, b].entries())
				fs.writeFileSync(path.join(process.env.DEBUG, `${servers[n].name}.json`), text);
		}
	}
	console.log(
		`\nmedian of the ratios: ${median(ratios).toFixed(1)}, smallest ${Math.min(...ratios).toFixed(1)}`,
	);
} finally {
	for (const s of servers) await s.remove();
}
