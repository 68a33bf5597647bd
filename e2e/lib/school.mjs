// A school in a tab: people, classes and the channel of the build, made by API calls, so that tests can
// go on from there on Kolibri's screens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Browser } from "./browser.mjs";
import { json, run } from "./learn.mjs";
import { Screen } from "./screen.mjs";
import { Site } from "./site.mjs";

export const PASSWORD = "password1";

export class School extends Screen {
	/** Ids by username, and by title. @type {Record<string, string>} */
	users = {};
	/** @type {Record<string, string>} */
	classes = {};
	/** The channel's nodes by title. @type {Record<string, any>} */
	nodes = {};
	channel = "";

	get facility() {
		return /** @type {string} */ (this.browser.facility);
	}

	/** @param {string} username @param {string} full_name @param {string} [kind] of role at the facility */
	async person(username, full_name, kind) {
		const facility = this.facility;
		const { id } = await this.call("POST", "api/auth/facilityuser/", {
			username,
			full_name,
			password: PASSWORD,
			facility,
		});
		if (kind) await this.call("POST", "api/auth/role/", [{ user: id, collection: facility, kind }]);
		this.users[username] = id;
		return id;
	}

	/** @param {string} name @param {{learners?: string[], coaches?: string[]}} [people] usernames */
	async class(name, { learners = [], coaches = [] } = {}) {
		const { id } = await this.call("POST", "api/auth/classroom/", { name, parent: this.facility });
		await this.enrol(id, learners);
		if (coaches.length)
			await this.call(
				"POST",
				"api/auth/role/",
				coaches.map((name) => ({ user: this.users[name], collection: id, kind: "coach" })),
			);
		this.classes[name] = id;
		return id;
	}

	/** @param {string} collection @param {string[]} learners usernames */
	async enrol(collection, learners) {
		if (learners.length)
			await this.call(
				"POST",
				"api/auth/membership/",
				learners.map((name) => ({ user: this.users[name], collection })),
			);
	}

	/** A group of a class. @param {string} parent @param {string} name @param {string[]} learners usernames */
	async group(parent, name, learners) {
		const { id } = await this.call("POST", "api/auth/learnergroup/", { name, parent });
		await this.enrol(id, learners);
		return /** @type {string} */ (id);
	}

	/** Imports the channel of the build. */
	async content() {
		const all = await json(this.browser, "api/content/remotechannel/");
		const { id, name } = all.find((/** @type {any} */ c) => c.name === "The pendulum");
		await run(this.browser, {
			type: "kolibri.core.content.tasks.remoteimport",
			channel_id: id,
			channel_name: name,
		});
		await this.look(id);
	}

	/** Looks what is in an imported channel. @param {string} id */
	async look(id) {
		this.channel = id;
		for (const node of await this.get(`api/content/contentnode/?descendant_of=${id}&available=true`))
			this.nodes[node.title] = node;
	}

	/** @param {string} title of a resource */
	resource(title) {
		const { id, content_id, channel_id } = this.nodes[title];
		return { contentnode_id: id, content_id, channel_id };
	}

	/**
	 * @param {string} title @param {string} collection
	 * @param {{resources?: string[], active?: boolean, assignments?: string[], description?: string}} [more]
	 */
	async lesson(title, collection, { resources = [], active = true, assignments, description = "" } = {}) {
		const { id } = await this.call("POST", "api/lessons/lesson/", {
			title,
			description,
			collection,
			active,
			resources: resources.map((name) => this.resource(name)),
			assignments: assignments ?? [collection],
			learner_ids: [],
		});
		return /** @type {string} */ (id);
	}

	/**
	 * A quiz of the first questions of the exercise.
	 * @param {string} title @param {string} collection
	 * @param {{active?: boolean, assignments?: string[], questions?: number}} [more]
	 */
	async quiz(title, collection, { active = true, assignments, questions = 3 } = {}) {
		const exercise = this.nodes["Count the swings"];
		const items = exercise.assessmentmetadata.assessment_item_ids.slice(0, questions);
		const draft = await this.call("POST", "api/exams/exam/", {
			title,
			collection,
			assignments: assignments ?? [collection],
			learner_ids: [],
			draft: true,
			learners_see_fixed_order: true,
			instant_report_visibility: true,
			question_sources: [
				{
					section_title: "Swings",
					description: "",
					learners_see_fixed_order: true,
					questions: items.map((/** @type {string} */ question_id, /** @type {number} */ i) => ({
						exercise_id: exercise.id,
						question_id,
						title: exercise.title,
						counter_in_exercise: i + 1,
					})),
				},
			],
		});
		if (!active) return /** @type {string} */ (draft.id);
		const exam = await this.call("PATCH", `api/exams/exam/${draft.id}/`, { draft: false, active: true });
		return /** @type {string} */ (exam.id);
	}

	/**
	 * Records what the one who is signed in does with a resource.
	 * @param {string} title
	 * @param {{lesson?: string, progress?: number, right?: number[], wrong?: number[]}} done numbers of questions
	 */
	async work(title, { lesson, progress, right = [], wrong = [] }) {
		const node = this.nodes[title];
		const { type, m, n } = node.assessmentmetadata?.mastery_model ?? {};
		const { session_id } = await this.call("POST", "api/logger/trackprogress/", {
			node_id: node.id,
			content_id: node.content_id,
			channel_id: node.channel_id,
			kind: node.kind,
			...(lesson && { lesson_id: lesson }),
			...(type && { mastery_model: m ? { type, m, n } : { type } }),
		});
		await this.answer(session_id, node.assessmentmetadata?.assessment_item_ids, { progress, right, wrong });
	}

	/**
	 * Takes a quiz as the one who is signed in.
	 * @param {string} quiz @param {{right?: number[], wrong?: number[], submit?: boolean}} done
	 */
	async take(quiz, { right = [], wrong = [], submit = true }) {
		const { session_id } = await this.call("POST", "api/logger/trackprogress/", { quiz_id: quiz });
		const exercise = this.nodes["Count the swings"];
		const items = exercise.assessmentmetadata.assessment_item_ids.map(
			(/** @type {string} */ item) => `${exercise.id}:${item}`,
		);
		await this.answer(session_id, items, { progress: submit ? 1 : 0, right, wrong });
	}

	/**
	 * @param {string} session @param {string[]} items
	 * @param {{progress?: number, right: number[], wrong: number[]}} done
	 */
	answer(session, items, { progress, right, wrong }) {
		const one = (/** @type {number} */ n, /** @type {number} */ correct) => ({
			item: items[n],
			correct,
			complete: true,
			time_spent: 5,
			answer: {},
			simple_answer: String(n),
		});
		return this.call("PUT", `api/logger/trackprogress/${session}/`, {
			time_spent_delta: 10,
			...(progress !== undefined && { progress }),
			...(right.length + wrong.length && {
				interactions: [...right.map((n) => one(n, 1)), ...wrong.map((n) => one(n, 0))],
			}),
		});
	}

	/** Signs somebody in by the API, without a look at a page. @param {string} username */
	async session(username) {
		if (this.browser.facility === undefined) throw new Error("there is no facility");
		await this.call("POST", "api/auth/session/", {
			username,
			password: PASSWORD,
			facility: this.facility,
		});
	}

	/** Signs somebody in and opens a page. @param {string} username @param {string} at */
	async as(username, at) {
		await this.session(username);
		await this.open(at);
	}

	/** Leaves nobody signed in, on the page that says so. */
	async signOut(at = "en/auth/#/signin") {
		await this.browser.api("DELETE", "api/auth/session/current/");
		await this.open(at);
	}

	/** Who is signed in; nobody is "". */
	async who() {
		const { username } = await this.call("PUT", "api/auth/session/current/", { active: false });
		return username ?? "";
	}
}

/** @typedef {(school: School) => Promise<void>} Act */

/**
 * One school, and scenes in it, which are told apart in the report and go on after one that failed.
 * A scene is named by Kolibri's scenario that it plays; docs/coverage.md counts by these names.
 * @param {string} name @param {Act} make what the school has @param {Record<string, Act>} scenes
 */
export function inSchool(name, make, scenes) {
	test(name, { timeout: 1_200_000 }, async (t) => {
		const site = await new Site().start();
		const browser = await new Browser(site).launch();
		try {
			await browser.open();
			await browser.mounted();
			await browser.provision();
			const school = new School(browser);
			await make(school);
			for (const [scene, act] of Object.entries(scenes))
				await t.test(scene, { timeout: 240_000 }, async () => {
					try {
						await act(school);
					} catch (error) {
						const folder = process.env.SHOTS;
						if (folder) await browser.page.screenshot({ path: `${folder}/${scene.split(" ")[0]}.png` });
						throw error;
					}
				});
			assert.deepEqual(
				browser.errors.filter((said) => /panic|goroutine|unreachable/.test(said)),
				[],
			);
		} finally {
			await browser.remove();
			await site.remove();
		}
	});
}
