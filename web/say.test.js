import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

const web = import.meta.dirname;
const folder = path.join(web, "messages");
const placeholders = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).toSorted();

/** All words that the shell's code has in English. */
function inCode() {
	const words = new Set();
	for (const file of fs.readdirSync(web, { recursive: true, encoding: "utf8" })) {
		if (!/(?<!\.test)\.js$/.test(file)) continue;
		const code = fs.readFileSync(path.join(web, file), "utf8");
		for (const [, literal] of code.matchAll(/\b(?:say|sayWith|later)\(\s*("(?:[^"\\]|\\.)*")/g))
			words.add(JSON.parse(literal));
	}
	return [...words].toSorted();
}

test("every language has all words of the shell, and no others", () => {
	const words = inCode();
	assert.ok(words.length > 100);
	for (const name of fs.readdirSync(folder)) {
		const messages = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
		assert.deepEqual(Object.keys(messages).toSorted(), words, name);
		for (const [english, translated] of Object.entries(messages)) {
			assert.ok(translated.trim(), `${name}: ${english}`);
			assert.deepEqual(placeholders(translated), placeholders(english), `${name}: ${english}`);
		}
	}
});

/** A fresh shell, to which a host answers with these files. @param {Record<string, any>} files */
async function shell(files) {
	const module = await import(`./say.js?${Math.random()}`);
	const asked = /** @type {string[]} */ ([]);
	const root = new URL("https://school.example/k/");
	const build = /** @type {any} */ ({ messages: { ar: "app/ar.json", es: "app/es.json" } });
	const speak = (/** @type {string} */ id) => {
		const fetched = globalThis.fetch;
		globalThis.fetch = async (url) => {
			const name = String(url).slice(root.href.length);
			asked.push(name);
			return name in files ? Response.json(files[name]) : new Response("", { status: 404 });
		};
		const spoken = module.speak(root, build, id);
		globalThis.fetch = fetched;
		return spoken;
	};
	return { ...module, speak, asked };
}

test("words come in the language of the page, else in English", async () => {
	const { say, speak, tongue, asked } = await shell({
		"app/ar.json": { Close: "إغلاق" },
		"app/es.json": { Close: "Cerrar", "{used} used": "{used} en uso" },
	});
	assert.equal(say("Close"), "Close");
	assert.equal(await speak("es-419"), true);
	assert.equal(say("Close"), "Cerrar");
	assert.equal(say("{used} used", { used: "3 MB" }), "3 MB en uso");
	assert.equal(say("No such word"), "No such word");
	assert.equal(await speak("es-es"), false, "the same words");
	assert.equal(await speak("ar"), true);
	assert.deepEqual(tongue(), { lang: "ar", dir: "rtl" });
	assert.equal(say("{used}", { used: "3 MB" }), "\u20683 MB\u2069", "by itself, whatever is around it");
	assert.equal(await speak("ka"), true, "which has no words");
	assert.equal(say("Close"), "Close");
	assert.deepEqual(tongue(), { lang: "en", dir: "ltr" });
	assert.deepEqual(asked, ["app/es.json", "app/ar.json"]);
});

test("the language asked for last is spoken", async () => {
	const { say, speak } = await shell({
		"app/ar.json": { Close: "إغلاق" },
		"app/es.json": { Close: "Cerrar" },
	});
	const first = speak("ar");
	const second = speak("es-es");
	assert.deepEqual(await Promise.all([first, second]), [false, true]);
	assert.equal(say("Close"), "Cerrar");
});

test("words that do not come are asked for again another time", async () => {
	const files = /** @type {Record<string, any>} */ ({});
	const { say, speak } = await shell(files);
	assert.equal(await speak("ar"), false);
	files["app/ar.json"] = { Close: "إغلاق" };
	assert.equal(await speak("ar"), true);
	assert.equal(say("Close"), "إغلاق");
});

test("elements stand where the language wants them", async () => {
	const { sayWith } = await shell({});
	const code = /** @type {any} */ ({ code: true });
	assert.deepEqual(sayWith("Relay: {relay}.", { relay: code }), ["Relay: ", code, "."]);
});
