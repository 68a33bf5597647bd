// What a coach plans: lessons, quizzes, groups, and what she keeps for later.
import assert from "node:assert/strict";
import { inSchool } from "../lib/school.mjs";

/** @typedef {import("../lib/school.mjs").School} School */

/** The address of a page of Class A. @param {School} k */
const page = (k, at = "") => `en/coach/#/${k.classes["Class A"]}/${at}`;

/** @param {School} k @param {string} name */
const lessons = (k, name = "Class A") => k.get(`api/lessons/lesson/?collection=${k.classes[name]}`);

/** @param {School} k @param {string} name */
const quizzes = (k, name = "Class A") => k.get(`api/exams/exam/?collection=${k.classes[name]}`);

const titles = (/** @type {{title: string}[]} */ list) => list.map(({ title }) => title).sort();

/** Goes through the two dialogues that copy something to another class. @param {School} k @param {string} to */
async function copyTo(k, to) {
	await k.dialog.getByText(to).click();
	await k.press(k.dialog.getByRole("button", { name: "Continue" }));
	await k.see("Will be copied to", k.dialog);
	await k.confirm("Copy");
}

/** Opens the folder "Practise" of the channel in the panel that chooses resources. @param {School} k */
async function practise(k) {
	const folder = (/** @type {string} */ id) => k.frame.locator(`a.k-title[href*="topicId=${id}"]`);
	await k.press(folder(k.channel));
	await k.press(folder(k.nodes.Practise.id));
}

inSchool(
	"what a coach plans",
	async (k) => {
		await k.content();
		await k.person("lea", "Lea Learner");
		await k.person("bob", "Bob Learner");
		await k.person("cora", "Cora Coach", "classroom assignable coach");
		await k.class("Class A", { learners: ["lea", "bob"], coaches: ["cora"] });
		await k.class("Class B", { coaches: ["cora"] });
		await k.session("cora");
	},
	{
		"coach-edit-lesson-details: a lesson has another title and description": async (k) => {
			const id = await k.lesson("Waves", k.classes["Class A"], { resources: ["A pendulum swings"] });
			await k.lesson("Taken", k.classes["Class A"]);
			await k.as("cora", page(k, `lessons/${id}`));
			await k.see("Date created");
			await k.menu("Options", "Edit details");
			await k.at(/lessons\/\w+\/edit/);
			await k.fill("Title", "Taken");
			await k.see("A lesson with this name already exists");
			await k.fill("Title", "Swings and waves");
			await k.fill("Description", "All that comes and goes");
			await k.press("Save changes");
			await k.see("All that comes and goes");
			await k.see("Swings and waves");
			const lesson = await k.get(`api/lessons/lesson/${id}/`);
			assert.equal(lesson.title, "Swings and waves");
			assert.equal(lesson.description, "All that comes and goes");
		},

		"coach-copy-lesson: a lesson is in another class, hidden there": async (k) => {
			const id = await k.lesson("To be copied", k.classes["Class A"], { resources: ["The lamp of Pisa"] });
			await k.as("cora", page(k, `lessons/${id}`));
			await k.see("Date created");
			await k.menu("Options", "Copy lesson");
			await copyTo(k, "Class B");
			await k.told(`api/lessons/lesson/?collection=${k.classes["Class B"]}`, (list) => list.length === 1);
			const [copy] = await lessons(k, "Class B");
			assert.match(copy.title, /To be copied/);
			assert.equal(copy.active, false);
			assert.deepEqual(copy.assignments, [k.classes["Class B"]]);
			assert.equal(copy.resources[0].contentnode_id, k.nodes["The lamp of Pisa"].id);
			await k.open(`en/coach/#/${k.classes["Class B"]}/lessons`);
			await k.see("To be copied");
		},

		"coach-delete-lesson: a lesson is gone": async (k) => {
			await k.lesson("To be kept", k.classes["Class A"]);
			const id = await k.lesson("To be deleted", k.classes["Class A"]);
			await k.as("cora", page(k, `lessons/${id}`));
			await k.see("Date created");
			await k.menu("Options", "Delete");
			await k.see("Are you sure you want to delete", k.dialog);
			await k.press(k.dialog.getByRole("button", { name: "Cancel" }));
			assert.ok(titles(await lessons(k)).includes("To be deleted"));
			await k.menu("Options", "Delete");
			await k.confirm("Delete");
			await k.at(/\/lessons$/);
			await k.see("To be kept");
			await k.gone(/To be deleted(?!')/, k.frame.locator("tbody").first());
			assert.ok(!titles(await lessons(k)).includes("To be deleted"));
		},

		"coach-bookmark-resources-and-topics, coach-adds-or-removes-bookmarked-resources-to-lesson: what a coach keeps, she finds again":
			async (k) => {
				const id = await k.lesson("Of what was kept", k.classes["Class A"]);
				await k.as("cora", `en/learn/#/topics/c/${k.nodes["The lamp of Pisa"].id}`);
				await k.press(k.frame.getByRole("button", { name: "Save to bookmarks" }));
				await k.told("api/bookmarks/bookmarks/", (list) => (list.results ?? list).length === 1);
				await k.open("en/learn/#/bookmarks");
				await k.see("The lamp of Pisa");
				await k.open(page(k, `lessons/${id}`));
				await k.see("No resources in this lesson");
				await k.press(k.frame.getByText("Manage resources"));
				await k.press(k.frame.locator("a", { hasText: /bookmark/i }));
				const box = k.frame.getByRole("checkbox", { name: "The lamp of Pisa" });
				await k.tick(box);
				await k.press(/save.*finish/i);
				await k.at(/lessons\/\w{32}$/);
				await k.see("The lamp of Pisa");
				const { resources } = await k.get(`api/lessons/lesson/${id}/`);
				assert.deepEqual(
					resources.map((/** @type {any} */ r) => r.contentnode_id),
					[k.nodes["The lamp of Pisa"].id],
				);
				await k.press(k.row("The lamp of Pisa").getByRole("button", { name: "Remove" }));
				await k.see("No resources in this lesson");
				await k.told(`api/lessons/lesson/${id}/`, ({ resources }) => resources.length === 0);
			},

		"coach-adds-practice-quiz-to-lesson: a practice quiz is among the resources of a lesson": async (k) => {
			const id = await k.lesson("With a quiz", k.classes["Class A"]);
			await k.as("cora", page(k, `lessons/${id}`));
			await k.see("No resources in this lesson");
			await k.press(k.frame.getByText("Manage resources"));
			await practise(k);
			await k.tick(k.frame.getByRole("checkbox", { name: "What do you know about pendulums?" }));
			await k.press(/save.*finish/i);
			await k.at(/lessons\/\w{32}$/);
			await k.see("What do you know about pendulums?");
			await k.told(
				`api/lessons/lesson/${id}/`,
				({ resources }) => resources[0]?.contentnode_id === k.nodes["What do you know about pendulums?"].id,
			);
		},

		"coach-edit-quiz: a quiz that has not begun gets another title": async (k) => {
			const id = await k.quiz("Draft", k.classes["Class A"], { active: false });
			await k.as("cora", page(k, `quizzes/${id}`));
			await k.see("Date created");
			await k.menu("Options", /^\s*Edit\s*$/);
			await k.at(/quizzes\/\w+\/edit/);
			await k.see("Count the swings");
			await k.fill("Title", "Second thoughts");
			await k.press(/save and close/i);
			await k.see("Second thoughts");
			assert.ok(titles(await quizzes(k)).includes("Second thoughts"));
			assert.ok(!titles(await quizzes(k)).includes("Draft"));
		},

		"coach-copy-quiz: a quiz is in another class, not begun": async (k) => {
			const id = await k.quiz("Quiz to copy", k.classes["Class A"]);
			await k.as("cora", page(k, `quizzes/${id}`));
			await k.see("Date created");
			await k.menu("Options", "Copy");
			await copyTo(k, "Class B");
			await k.told(`api/exams/exam/?collection=${k.classes["Class B"]}`, (list) => list.length === 1);
			const [copy] = await quizzes(k, "Class B");
			assert.match(copy.title, /Quiz to copy/);
			assert.equal(copy.active, false);
			assert.equal(copy.question_count, 3);
			await k.open(`en/coach/#/${k.classes["Class B"]}/quizzes`);
			await k.see("Quiz to copy");
		},

		"coach-delete-quiz: a quiz is gone": async (k) => {
			const id = await k.quiz("Unwanted", k.classes["Class A"], { active: false });
			await k.as("cora", page(k, `quizzes/${id}`));
			await k.see("Date created");
			await k.menu("Options", "Delete");
			await k.confirm("Delete");
			await k.at(/\/quizzes$/);
			await k.gone(/Unwanted(?!')/, k.frame.locator("tbody").first());
			assert.ok(!titles(await quizzes(k)).includes("Unwanted"));
		},

		"coach-rename-group, coach-delete-group: a group has another name, then it is gone": async (k) => {
			await k.group(k.classes["Class A"], "Owls", ["lea"]);
			await k.group(k.classes["Class A"], "Larks", []);
			await k.as("cora", page(k, "groups"));
			await k.see("Owls");
			await k.menu(k.row("Owls").getByRole("button"), "Rename group");
			await k.dialog.locator("input[type=text]").fill("larks");
			await k.press(k.dialog.getByRole("button", { name: "Save" }));
			await k.see("A group with that name already exists", k.dialog);
			await k.dialog.locator("input[type=text]").fill("Night owls");
			await k.confirm("Save");
			await k.see("Night owls");
			const groups = () => k.get(`api/auth/learnergroup/?parent=${k.classes["Class A"]}`);
			assert.deepEqual((await groups()).map((/** @type {any} */ g) => g.name).sort(), [
				"Larks",
				"Night owls",
			]);
			await k.menu(k.row("Night owls").getByRole("button"), "Delete");
			await k.confirm("Delete");
			await k.gone("Night owls", k.frame.locator("tbody").first());
			assert.deepEqual(
				(await groups()).map((/** @type {any} */ g) => g.name),
				["Larks"],
			);
			await k.open(page(k, "learners"));
			await k.see("Lea Learner"); // a group takes no learner along
		},

		"coach-class-plan: lessons, quizzes and groups of a class, told apart by recipients": async (k) => {
			const owls = await k.group(k.classes["Class A"], "Kites", ["bob"]);
			await k.lesson("For kites", k.classes["Class A"], { assignments: [owls] });
			await k.lesson("For everybody", k.classes["Class A"]);
			await k.quiz("Quiz for everybody", k.classes["Class A"]);
			await k.as("cora", page(k, "lessons"));
			await k.see("For kites");
			await k.see("For everybody");
			await k.select("Recipients", "Kites");
			await k.gone("For everybody", k.frame.locator("tbody").first());
			await k.see("For kites");
			await k.press(k.frame.getByRole("link", { name: "Quizzes" }));
			await k.see("Quiz for everybody");
			await k.press(k.frame.getByRole("link", { name: "Groups" }));
			await k.see("Kites");
		},

		"coach-adds-or-removes-bookmarked-resources-to-quiz: questions of an exercise that was kept": async (
			k,
		) => {
			await k.as("cora", `en/learn/#/topics/c/${k.nodes["Count the swings"].id}`);
			await k.press(k.frame.getByRole("button", { name: "Save to bookmarks" }));
			await k.told("api/bookmarks/bookmarks/", (list) => (list.results ?? list).length === 2);
			await k.open(page(k, "quizzes/new/edit/0"));
			await k.see("There are no questions in this section");
			await k.fill("Title", "Of what was kept");
			await k.press(/add questions/i);
			await k.see("You can add up to");
			await k.frame.locator("input[type=number]").fill("2");
			await k.press("Continue");
			await k.press(k.frame.locator("a", { hasText: /bookmark/i }));
			await k.tick(k.frame.getByRole("checkbox", { name: "Count the swings" }));
			await k.press(/^add 2 questions/i);
			await k.gone("There are no questions in this section");
			await k.press(/save and close/i);
			await k.see("Of what was kept");
			const quiz = (await quizzes(k)).find((/** @type {any} */ q) => q.title === "Of what was kept");
			assert.equal(quiz.question_count, 2);
			assert.equal(quiz.question_sources[0].questions[0].exercise_id, k.nodes["Count the swings"].id);
		},
	},
);
