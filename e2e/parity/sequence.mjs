// A random sequence of calls as it grows: who there is, what was made, and the steps so far.

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

export const ACTORS = [
	"anonymous",
	"learner",
	"learner2",
	"loner",
	"classcoach",
	"coach",
	"admin",
	"superuser",
];
export const NOBODY = "0123456789abcdef0123456789abcdef";

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

export class Sequence {
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
}
