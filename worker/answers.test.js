import assert from "node:assert/strict";
import { test } from "node:test";
import { Answers, confirmed } from "./answers.js";

const url = "https://a.example/api/x/";
const bytes = (/** @type {number} */ n) => new Uint8Array(n).fill(7);
/** @type {import("./protocol.js").HeaderList} */
const TAGGED = [
	["ETag", '"1"'],
	["Cache-Control", "max-age=0"],
];
const ask = (/** @type {any} */ more = {}) => ({ method: "GET", url, headers: [], ...more });

test("what is kept is found by the whole request", () => {
	const answers = new Answers();
	const key = answers.keyOf(ask(), "Cookie: kolibri=a\r\nAccept-Language: en\r\n");
	answers.keep(key, 200, TAGGED, bytes(3));
	assert.equal(answers.find(key)?.tag, '"1"');
	for (const sent of [
		"Cookie: kolibri=b\r\nAccept-Language: en\r\n",
		"Cookie: kolibri=a\r\nAccept-Language: de\r\n",
		"",
	]) {
		assert.equal(answers.find(answers.keyOf(ask(), sent)), null);
	}
	answers.clear();
	assert.equal(answers.find(key), null);
	assert.equal(answers.used, 0);
});

for (const [what, request] of /** @type {[string, any][]} */ ([
	["a write", { method: "POST" }],
	["a HEAD", { method: "HEAD" }],
	["a request from outside", { from: "10.0.0.2" }],
	["one with a body", { body: bytes(1) }],
	["a part", { headers: [["Range", "bytes=0-1"]] }],
	["one that has a tag", { headers: [["if-none-match", '"1"']] }],
	["one that wants no kept answer", { headers: [["Cache-Control", "no-cache"]] }],
])) {
	test(`${what} has no kept answer`, () => assert.equal(new Answers().keyOf(ask(request), ""), null));
}

for (const [what, status, headers] of /** @type {[string, number, any][]} */ ([
	["an error", 404, TAGGED],
	["an answer without a tag", 200, []],
	[
		"one that must not be stored",
		200,
		[
			["etag", '"1"'],
			["cache-control", "private, no-store"],
		],
	],
	[
		"one that varies with everything",
		200,
		[
			["ETag", '"1"'],
			["Vary", "*"],
		],
	],
])) {
	test(`${what} is not kept, and ends the older one`, () => {
		const answers = new Answers();
		answers.keep("k", 200, TAGGED, bytes(3));
		answers.keep("k", status, headers, bytes(3));
		assert.equal(answers.find("k"), null);
		assert.equal(answers.used, 0);
	});
}

test("the one not asked for the longest makes room", () => {
	const answers = new Answers(80);
	for (const key of ["a", "b", "c", "d", "e", "f", "g", "h"]) answers.keep(key, 200, TAGGED, bytes(10));
	answers.find("a");
	answers.keep("i", 200, TAGGED, bytes(10));
	assert.ok(answers.find("a"));
	assert.equal(answers.find("b"), null);
	assert.equal(answers.used, 80);
	answers.keep("large", 200, TAGGED, bytes(11));
	assert.equal(answers.find("large"), null);
});

test("a confirmed answer has its body and the new headers", () => {
	const kept = { tag: '"1"', headers: [...TAGGED, ["Allow", "GET"]], body: bytes(2) };
	const answer = confirmed(/** @type {any} */ (kept), [["cache-control", "max-age=5"]]);
	assert.deepEqual(answer, {
		status: 200,
		headers: [
			["ETag", '"1"'],
			["Allow", "GET"],
			["cache-control", "max-age=5"],
		],
		body: bytes(2),
	});
	structuredClone(answer.body, { transfer: [answer.body.buffer] });
	assert.equal(kept.body.length, 2, "its own bytes stay");
});
