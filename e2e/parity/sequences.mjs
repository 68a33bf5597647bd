// Writes cases for a judge of servers: random calls by random people, as many as asked for, always
// the same for a seed.
//
//     node e2e/parity/sequences.mjs --out DIR --seeds 1-200 --calls 50
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";

/**
 * @typedef {{actor: string, method: string, path: string, body?: unknown, query?: object, capture?: object, compare?: string,
 *   unordered?: string[], ignore?: string[]}} Step
 */

/** Anything of a list may stand anywhere in it: ids are random, and most lists are ordered by them. */
const UNORDERED = [
	"$",
	"**.results",
	"**.coaches",
	"**.roles",
	"**.user_ids",
	"**.assignments",
	"**.learner_ids",
	"**.learners", // of a class summary: they come as the database finds them
	"**.lessons",
	"**.exams",
	"kind", // of a session
];

/** What no two servers can share. */
const IGNORED = ["**.seed", "**.server_time"];

const ACTORS = ["anonymous", "learner", "learner2", "loner", "classcoach", "coach", "admin", "superuser"];
const NOBODY = "0123456789abcdef0123456789abcdef";

/** @param {number} seed a generator of numbers from 0 to 1 (mulberry32) */
function random(seed) {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

class Sequence {
	/** @param {number} seed */
	constructor(seed) {
		this.next = random(seed);
		this.made = 0;
		/** What there is, by kind; a name in braces is the judge's word for an id. */
		this.known = {
			user: ["admin", "coach", "classcoach", "learner", "learner2", "learner3", "loner"].map((n) => `{${n}}`),
			classroom: ["{class_a}", "{class_b}"],
			learnergroup: ["{group_a}", "{group_b}"],
			membership: ["{mem_learner}", "{mem_learner2}", "{mem_group}", "{mem_group_b}"],
			role: ["{role_coach}", "{role_assignable}", "{role_classcoach}"],
			lesson: /** @type {string[]} */ ([]),
			exam: /** @type {string[]} */ ([]),
			attendancesession: /** @type {string[]} */ ([]),
		};
		/** @type {Step[]} */
		this.steps = [];
	}

	/** @template T @param {T[]} list @returns {T} */
	one(list) {
		return list[Math.floor(this.next() * list.length)];
	}

	chance(/** @type {number} */ p) {
		return this.next() < p;
	}

	/** An id of a kind, now and then of nothing. @param {keyof Sequence["known"]} kind */
	id(kind) {
		const list = this.known[kind];
		return list.length === 0 || this.chance(0.05) ? this.one([NOBODY, "nonsense"]) : this.one(list);
	}

	collection() {
		return this.one(["{facility}", this.id("classroom"), this.id("learnergroup")]);
	}

	/** @param {Step} step */
	add(step) {
		step.ignore = IGNORED;
		step.unordered = UNORDERED;
		this.steps.push(step);
	}

	/**
	 * Makes something. Whoever may do so for certain makes it known.
	 * @param {keyof Sequence["known"]} kind @param {string} at @param {object} body @param {boolean} sound
	 */
	create(kind, at, body, sound) {
		const actor = this.chance(0.6) ? this.one(["admin", "superuser"]) : this.one(ACTORS);
		/** @type {Step} */
		const step = { actor, method: "POST", path: at, body };
		if (sound && (actor === "admin" || actor === "superuser")) {
			const name = `made${++this.made}`;
			step.capture = { [name]: "id" };
			this.known[kind].push(`{${name}}`);
		}
		this.add(step);
	}

	name() {
		return this.one([
			"Red",
			"Blue",
			"Class A",
			"",
			" Green ",
			"x".repeat(101),
			"Ünï",
			`N${this.steps.length}`,
		]);
	}

	/** A call of what people do less often. */
	rarer() {
		const actor = this.one(ACTORS);
		const manager = this.one(["admin", "superuser"]);
		const n = this.steps.length;
		const odd = this.one([null, "", "x", 5, true, [], {}, NOBODY]);
		const get = (/** @type {string} */ path, /** @type {object} */ query) =>
			this.add({ actor, method: "GET", path, query });
		const of = (/** @type {keyof Sequence["known"]} */ kind) => this.id(kind);
		this.one([
			() => get("/api/attendance/attendancerecord/", {}),
			() => get(`/api/attendance/attendancesession/${of("attendancesession")}/`, {}),
			() =>
				get("/api/attendance/attendancesession/", { start_date: "2026-01-01", collection: of("classroom") }),
			() => get("/api/logger/attemptlog/", { user: this.one(this.known.user) }),
			() => get("/api/logger/masterylog/", { content: of("exam"), user: of("user") }),
			() => get(`/api/logger/userprogress/${of("user")}/`, {}),
			() => get("/coach/api/lessonreport/", {}),
			() => get(`/coach/api/lessonreport/${of("lesson")}/`, {}),
			() => get(`/coach/api/quizdifficulties/${of("exam")}/`, {}),
			() =>
				get(`/coach/api/exercisedifficulties/${NOBODY}/`, {
					classroom_id: of("classroom"),
					lesson_id: of("lesson"),
				}),
			() =>
				get(`/coach/api/practicequizdifficulties/${NOBODY}/`, {
					classroom_id: of("classroom"),
					group_id: of("learnergroup"),
				}),
			() => get(`/api/${this.one(["lessons/lesson", "exams/exam"])}/size/`, { collection: of("classroom") }),
			() => get("/api/bookmarks/bookmarks/", {}),
			() => get("/api/auth/facilityusername/", { facility: "{facility}", search: this.one(["l", "co"]) }),
			() => get("/api/auth/facilityuser/", { user_type: this.one(["learner", "coach", "x"]) }),
			() => get("/api/auth/facilityuser/", { by_ids: `${of("user")},${of("user")}` }),
			() => get("/api/auth/facilityuser/", { page_size: 3, page: this.one([1, 2, 9]), ordering: "username" }),
			() => get("/api/public/v1/facility/", {}),
			() => get("/api/courses/coursesession/", { collection: of("classroom") }),
			() => get("/learn/api/learnercourse/", {}),
			() => get("/learn/api/state", {}),
			() => get("/api/device/usersyncstatus/", { member_of: of("classroom") }),
			() => get(`/api/device/devicepermissions/${of("user")}/`, {}),
			() => this.add({ actor, method: "PUT", path: "/api/auth/session/current/", body: {} }),
			() =>
				this.add({
					actor,
					method: "POST",
					path: "/api/auth/usernameavailable",
					body: { username: this.one(["learner", "free", "", odd]), facility: this.one(["{facility}", odd]) },
				}),
			() =>
				this.add({
					actor: "superuser",
					method: this.one(["POST", "PATCH"]),
					path: "/api/auth/facilitydataset/{dataset}/update-pin/",
					body: { pin_code: this.one(["1234", "12", odd]) },
				}),
			() =>
				this.add({
					actor,
					method: "POST",
					path: "/api/auth/ispinvalid/{dataset}",
					body: { pin_code: this.one(["1234", "9999", odd]) },
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: "/api/auth/facility/{facility}/",
					body: { name: this.one([`School ${n}`, odd]) },
				}),
			() =>
				this.create(
					"exam",
					"/api/exams/exam/",
					{
						title: `Live ${n}`,
						collection: "{class_a}",
						assignments: [this.one(["{class_a}", "{group_a}"])],
						active: this.chance(0.5),
						draft: false,
						question_sources: [
							{
								section_title: "",
								questions: [
									{
										exercise_id: "c".repeat(32),
										question_id: "d".repeat(32),
										title: "",
										counter_in_exercise: this.one([1, "2", odd]),
									},
								],
							},
						],
					},
					false,
				),
			() =>
				this.add({
					actor,
					method: "POST",
					path: "/api/attendance/attendancerecord/bulk_update/",
					body: {
						attendance_session: of("attendancesession"),
						records: [{ user: of("user"), present: this.one([true, false, odd]) }],
					},
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: `/api/attendance/attendancesession/${of("attendancesession")}/`,
					body: this.one([
						{ session_start_datetime: "2026-02-03T04:05:06Z" },
						{ attendance_records: [{ user: of("user"), present: true }] },
						{ attendance_records: odd },
						{ session_start_datetime: odd },
					]),
				}),
			() =>
				this.add({
					actor,
					method: "POST",
					path: this.one(["/api/lessons/lesson/", "/api/exams/exam/"]),
					body: {
						title: this.one([`Odd ${n}`, odd]),
						description: this.one(["", odd]),
						collection: this.one(["{class_a}", odd]),
						assignments: this.one([["{class_a}"], odd]),
						resources: this.one([[], odd]),
						question_sources: this.one([[], odd]),
					},
				}),
			() =>
				this.add({
					actor: this.one([actor, "superuser"]),
					method: "POST",
					path: "/api/device/devicepermissions/",
					body: { user: this.one([of("user"), odd]), can_manage_content: this.one([true, false, odd]) },
				}),
			() =>
				this.add({
					actor: this.one([actor, "superuser"]),
					method: this.one(["PATCH", "DELETE"]),
					path: `/api/device/devicepermissions/${of("user")}/`,
					body: { can_manage_content: this.one([true, false, odd]) },
				}),
			() =>
				this.add({
					actor: manager,
					method: "DELETE",
					path: `/api/auth/facilityuser/{learner3}/`,
				}),
			() =>
				this.add({
					actor: manager,
					method: "POST",
					path: "/api/auth/deletedfacilityuser/restore/",
					query: { by_ids: this.one(["{learner3}", "{learner3},", NOBODY, ""]) },
				}),
			() =>
				this.add({
					actor: manager,
					method: "DELETE",
					path: `/api/auth/deletedfacilityuser/{learner3}/`,
				}),
		])();
	}

	call() {
		if (this.chance(0.5)) return this.rarer();
		const actor = this.one(ACTORS);
		const reads = [
			"facility/",
			"facilitydataset/",
			"facilityuser/",
			"deletedfacilityuser/",
			"classroom/",
			"learnergroup/",
			"membership/",
			"role/",
		];
		const n = this.steps.length;
		this.one([
			() => this.add({ actor, method: "GET", path: `/api/auth/${this.one(reads)}` }),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/api/auth/facilityuser/",
					query: { member_of: this.id("classroom") },
				}),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/api/auth/facilityuser/",
					query: { search: this.one(["l", "Le", "coach", "%"]) },
				}),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/api/auth/learnergroup/",
					query: { parent: this.id("classroom") },
				}),
			() => this.add({ actor, method: "GET", path: `/api/auth/facilityuser/${this.id("user")}/` }),
			() => this.add({ actor, method: "GET", path: `/api/auth/classroom/${this.id("classroom")}/` }),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/api/lessons/lesson/",
					query: { collection: this.one(this.known.classroom) },
				}),
			() =>
				this.create("classroom", "/api/auth/classroom/", { name: `Class ${n}`, parent: "{facility}" }, true),
			() =>
				this.create(
					"classroom",
					"/api/auth/classroom/",
					{ name: this.name(), parent: this.collection() },
					false,
				),
			() =>
				this.create(
					"user",
					"/api/auth/facilityuser/",
					{ username: `user${n}`, full_name: `User ${n}`, password: "pass-word1", facility: "{facility}" },
					true,
				),
			() =>
				this.create(
					"user",
					"/api/auth/facilityuser/",
					{
						username: this.one(["learner", "LEARNER", "a b", "ok"]),
						full_name: this.name(),
						birth_year: this.one(["2010", "1", ""]),
					},
					false,
				),
			() =>
				this.add({
					actor,
					method: "POST",
					path: "/api/auth/membership/",
					body: { user: this.id("user"), collection: this.collection() },
					compare: "status",
				}),
			() =>
				this.add({
					actor,
					method: "POST",
					path: "/api/auth/role/",
					body: {
						user: this.id("user"),
						collection: this.collection(),
						kind: this.one(["coach", "admin", "boss"]),
					},
					compare: "status",
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: `/api/auth/facilityuser/${this.id("user")}/`,
					body: { full_name: `Renamed ${n}` },
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: `/api/auth/classroom/${this.id("classroom")}/`,
					body: { name: `Other ${n}` },
				}),
			() =>
				this.add({
					actor,
					method: "DELETE",
					path: `/api/auth/${this.one(["membership", "role"])}/${this.id(this.one(["membership", "role"]))}/`,
				}),
			() => this.add({ actor, method: "DELETE", path: `/api/auth/learnergroup/${this.id("learnergroup")}/` }),
			() => this.add({ actor, method: "GET", path: `/api/lessons/lesson/${this.id("lesson")}/` }),
			() => this.add({ actor, method: "GET", path: `/api/exams/exam/${this.id("exam")}/` }),
			() => this.add({ actor, method: "GET", path: `/coach/api/classsummary/${this.id("classroom")}/` }),
			() => this.add({ actor, method: "GET", path: `/learn/api/learnerclassroom/${this.id("classroom")}/` }),
			() => this.add({ actor, method: "GET", path: "/learn/api/learnerlesson/" }),
			() => this.add({ actor, method: "GET", path: "/api/device/devicepermissions/" }),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/coach/api/notifications/",
					query: { classroom_id: this.id("classroom") },
				}),
			() =>
				this.add({
					actor,
					method: "GET",
					path: "/api/attendance/attendancesession/",
					query: { collection: this.id("classroom") },
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: `/api/lessons/lesson/${this.id("lesson")}/`,
					body: this.one([
						{ active: true },
						{ title: `Retitled ${n}` },
						{ assignments: [this.collection()] },
						{ learner_ids: [this.id("user")] },
						{ resources: [{ contentnode_id: "x" }] },
					]),
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: `/api/exams/exam/${this.id("exam")}/`,
					body: this.one([{ active: true }, { archive: true }, { title: `Retitled ${n}` }, { draft: false }]),
				}),
			() =>
				this.add({
					actor,
					method: "DELETE",
					path: this.one([
						`/api/lessons/lesson/${this.id("lesson")}/`,
						`/api/exams/exam/${this.id("exam")}/`,
						`/api/attendance/attendancesession/${this.id("attendancesession")}/`,
					]),
				}),
			() =>
				this.add({
					actor,
					method: "PATCH",
					path: "/api/auth/facilitydataset/{dataset}/",
					body: { [this.one(["learner_can_edit_username", "learner_can_sign_up"])]: this.chance(0.5) },
				}),
			() =>
				this.create(
					"lesson",
					"/api/lessons/lesson/",
					{
						title: `Work ${n}`,
						description: "",
						collection: "{class_a}",
						resources: [],
						assignments: ["{class_a}"],
						learner_ids: [],
						active: this.chance(0.5),
					},
					true,
				),
			() =>
				this.create(
					"exam",
					"/api/exams/exam/",
					{
						title: `Quiz ${n}`,
						collection: "{class_a}",
						assignments: ["{class_a}"],
						learner_ids: [],
						active: false,
						draft: true,
						question_sources: [],
						instant_report_visibility: true,
					},
					true,
				),
			() =>
				this.create(
					"attendancesession",
					"/api/attendance/attendancesession/",
					{
						collection: "{class_a}",
						session_start_datetime: "2026-01-02T03:04:05Z",
						attendance_records: [{ user: "{learner}", present: this.chance(0.5) }],
					},
					true,
				),
			() =>
				this.create(
					"lesson",
					"/api/lessons/lesson/",
					{
						title: `Lesson ${n}`,
						description: "",
						collection: "{class_a}",
						resources: [],
						assignments: [this.one(["{class_a}", "{group_a}"])],
						learner_ids: this.one([[], [this.id("user")]]),
					},
					false,
				),
		])();
	}
}

const { values } = parseArgs({
	options: {
		out: { type: "string" },
		seeds: { type: "string", default: "1-200" },
		calls: { type: "string", default: "50" },
	},
});
if (!values.out) {
	console.error("usage: sequences.mjs --out DIR [--seeds 1-200] [--calls 50]");
	process.exit(2);
}
fs.mkdirSync(values.out, { recursive: true });
const [first, last = first] = values.seeds.split("-").map(Number);
for (let seed = first; seed <= last; seed++) {
	const sequence = new Sequence(seed);
	while (sequence.steps.length < Number(values.calls)) sequence.call();
	const text = { title: `Random calls, seed ${seed}.`, world: "people", steps: sequence.steps };
	fs.writeFileSync(path.join(values.out, `r_${String(seed).padStart(3, "0")}.json`), JSON.stringify(text));
}
