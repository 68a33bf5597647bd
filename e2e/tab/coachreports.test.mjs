// What a coach sees of her learners' work: reports, difficult questions, notifications.
import assert from "node:assert/strict";
import { until } from "../lib/browser.mjs";
import { inSchool } from "../lib/school.mjs";

/** @typedef {import("../lib/school.mjs").School} School */

const EXERCISE = "Count the swings";
const PRACTICE = "What do you know about pendulums?";

/** What there is to report on: ids of lessons, quizzes and the group. */
const made = { lesson: "", quiz: "", owls: "", owlsLesson: "", owlsQuiz: "" };

/** Opens a page of Class A as its coach. @param {School} k @param {string} at */
const coach = (k, at) => k.as("cora", `en/coach/#/${k.classes["Class A"]}/${at}`);

/** Opens the report on a resource of the lesson. @param {School} k @param {string} title */
async function resource(k, title) {
	await coach(k, `lessons/${made.lesson}`);
	await k.see("Date created");
	await k.press(k.link(title));
	await k.see("Back to 'Lesson One'");
}

/** @param {School} k */
const difficult = (k) => k.press(k.frame.getByText("Difficult questions", { exact: true }));

/** Has the page's print tell that it was called. @param {School} k */
const watchPrint = (k) =>
	k.frame.evaluate(() => {
		window.print = () => Object.assign(window, { printed: true });
	});

/** @param {School} k */
const printed = (k) => k.frame.evaluate(() => "printed" in window);

inSchool(
	"what a coach sees of her learners' work",
	async (k) => {
		await k.content();
		await k.person("lea", "Lea Learner");
		await k.person("bob", "Bob Learner");
		await k.person("cora", "Cora Coach", "classroom assignable coach");
		const id = await k.class("Class A", { learners: ["lea", "bob"], coaches: ["cora"] });
		made.lesson = await k.lesson("Lesson One", id, { resources: ["A pendulum swings", EXERCISE, PRACTICE] });
		made.quiz = await k.quiz("Quiz One", id);
		made.owls = await k.group(id, "Owls", ["lea"]);
		made.owlsLesson = await k.lesson("Lesson for owls", id, {
			resources: ["The lamp of Pisa"],
			assignments: [made.owls],
		});
		made.owlsQuiz = await k.quiz("Quiz for owls", id, { assignments: [made.owls] });
		await k.session("lea");
		await k.work("A pendulum swings", { lesson: made.lesson, progress: 1 });
		await k.work(EXERCISE, { lesson: made.lesson, right: [0], wrong: [1, 2], progress: 0.3 });
		await k.work(PRACTICE, { lesson: made.lesson, right: [0], wrong: [1, 2], progress: 1 });
		await k.take(made.quiz, { right: [0, 1], wrong: [2] });
		await k.work("The lamp of Pisa", { lesson: made.owlsLesson, progress: 1 });
		await k.take(made.owlsQuiz, { right: [0, 1, 2] });
		await k.work("Slower and slower", { progress: 1 });
		await k.session("bob");
		await k.work(EXERCISE, { lesson: made.lesson, wrong: [0, 1, 2, 3] });
	},
	{
		"coach-class-home-with-interaction: the class at a glance": async (k) => {
			await coach(k, "home");
			await k.see(/Learners 2/);
			await k.see(/Quiz One Entire class Completed by 1 of 2/);
			await k.see(/Lesson One Entire class 1 of 2 has started 1 needs help/);
			await k.press(k.link("Lesson One"));
			await k.at(new RegExp(`lessons/${made.lesson}`));
		},

		"coach-track-lesson-notifications, coach-track-quiz-notifications, coach-notified-learner-needs-help: who did what, newest first":
			async (k) => {
				await coach(k, "home/activity");
				await k.see("Bob Learner needs help with 'Count the swings'");
				await k.see("Lea Learner completed 'A pendulum swings'");
				await k.see("Lea Learner completed 'Quiz One'");
				const said = await k.text();
				assert.ok(said.indexOf("needs help") < said.indexOf("completed 'Quiz One'"), said);
				const { results } = await k.get(`coach/api/notifications/?classroom_id=${k.classes["Class A"]}`);
				const help = results.find((/** @type {any} */ n) => n.event === "HelpNeeded");
				assert.equal(help.user_id, k.users.bob);
				await k.select("Progress type", "Completed");
				await k.gone("needs help");
				await k.see("Lea Learner completed 'Quiz One'");
			},

		"coach-track-lesson-groups-notifications, coach-track-quiz-groups-notifications: a group's work is told as the group's":
			async (k) => {
				await coach(k, "home");
				await k.see("Everyone in 'Owls' completed 'Quiz for owls'");
				await k.see("Everyone in 'Owls' completed 'The lamp of Pisa'");
			},

		"coach-non-lesson-quiz-resource-notifications: nobody is told of what was in no lesson": async (k) => {
			await coach(k, "home/activity");
			await k.see("Lea Learner completed 'A pendulum swings'");
			assert.doesNotMatch(await k.text(), /Slower and slower/);
			const { results } = await k.get(`coach/api/notifications/?classroom_id=${k.classes["Class A"]}`);
			assert.ok(
				results.every((/** @type {any} */ n) => n.contentnode_id !== k.nodes["Slower and slower"].id),
				"a notification of it",
			);
		},

		"coach-class-reports, coach-class-reports-lessons: a lesson by resources, by learners, and one learner's":
			async (k) => {
				await coach(k, `lessons/${made.lesson}`);
				await k.see(/A pendulum swings Completed by 1 of 2 10 seconds/);
				await k.see(/Count the swings 1 of 2 has started 1 needs help/);
				await k.press(k.frame.locator("#coachReportsLesson-tabLearners"));
				await k.see("Bob Learner");
				await k.press(k.link("Lea Learner"));
				await k.see(/A pendulum swings Completed 10 seconds/);
				await k.see(/Count the swings Started/);
				await resource(k, "A pendulum swings");
				await k.see(/Bob Learner Has not started/);
				await k.see(/Lea Learner Completed 10 seconds Owls/);
			},

		"coach-class-reports-groups: a report told apart by groups": async (k) => {
			await resource(k, EXERCISE);
			await k.see(/Bob Learner Needs help/);
			await k.tick(k.frame.getByLabel("View by groups"));
			await k.see(/Owls.*Lea Learner Started.*Ungrouped learners.*Bob Learner Needs help/);
		},

		"coach-class-reports-learners: the learners of a class and of a group, and one of them": async (k) => {
			await coach(k, "learners");
			await k.see(/Lea Learner Owls 83%/);
			await k.see("Bob Learner");
			await k.select("Recipients", "Owls");
			await k.gone("Bob Learner");
			await k.press(k.link("Lea Learner"));
			await k.see(/Quiz One Completed 67%/);
			await k.see(/Quiz for owls Completed 100%/);
			await k.press(k.link("Lesson One"));
			await k.see(/A pendulum swings Completed/);
		},

		"coach-lesson-difficult-questions: what many got wrong in an exercise": async (k) => {
			await resource(k, EXERCISE);
			await difficult(k);
			await k.see("2 of 2 need help");
			const asked = `coach/api/exercisedifficulties/${k.nodes[EXERCISE].content_id}/?classroom_id=${k.classes["Class A"]}&lesson_id=${made.lesson}`;
			const questions = await k.get(asked);
			const worst = questions.filter((/** @type {any} */ q) => q.correct === 0 && q.total === 2);
			assert.equal(worst.length, 2, JSON.stringify(questions));
			await k.press(k.frame.locator("tbody a"));
			await k.see(/Bob Learner/);
		},

		"coach-quiz-difficult-questions: what was wrong in a quiz": async (k) => {
			await coach(k, `quizzes/${made.quiz}`);
			await k.see("Date created");
			await difficult(k);
			await k.see(/Count the swings \(3\) 1 of 1 needs help/);
			const questions = await k.get(
				`coach/api/quizdifficulties/${made.quiz}/?classroom_id=${k.classes["Class A"]}`,
			);
			assert.equal(questions.filter((/** @type {any} */ q) => q.correct < q.total).length, 1);
		},

		"coach-sees-report-for-practice-quiz-in-lesson: score and attempts of a practice quiz": async (k) => {
			await resource(k, PRACTICE);
			await k.see(/Lea Learner Completed All questions answered 33% 1/);
			await k.see(/Bob Learner Has not started/);
			await k.press(k.link("Lea Learner"));
			await k.see("1 out of 3");
			await k.see("33%");
		},

		"coach-sees-difficult-questions-in-practice-quiz-report: what was wrong in a practice quiz": async (
			k,
		) => {
			await resource(k, PRACTICE);
			await difficult(k);
			await k.see("1 of 1 needs help");
			const questions = await k.get(
				`coach/api/practicequizdifficulties/${k.nodes[PRACTICE].content_id}/?classroom_id=${k.classes["Class A"]}&lesson_id=${made.lesson}`,
			);
			assert.equal(questions.filter((/** @type {any} */ q) => q.correct < q.total).length, 2);
		},

		"coach-print-reports: reports of lessons, quizzes and learners go to the printer, and as a file": async (
			k,
		) => {
			for (const [at, words] of /** @type {[string, RegExp][]} */ ([
				[`lessons/${made.lesson}`, /A pendulum swings/],
				[`quizzes/${made.quiz}`, /Lea Learner/],
				["learners", /Bob Learner/],
			])) {
				await coach(k, at);
				await k.see(words);
				await watchPrint(k);
				await k.press("Print report");
				await until(() => printed(k), "the printer");
				const file = await k.download(() => k.press("Export as CSV"));
				assert.match(file.name, /\.csv$/);
				assert.match(file.text, words);
			}
		},
	},
);
