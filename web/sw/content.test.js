import assert from "node:assert/strict";
import { test } from "node:test";
import { requested } from "./content.js";

for (const [header, size, want] of [
	[null, 10, null],
	["bytes=0-3", 10, [0, 4]],
	["bytes=4-", 10, [4, 10]],
	["bytes=4-400", 10, [4, 10]],
	["bytes=-3", 10, [7, 10]],
	["bytes=-30", 10, [0, 10]],
	["bytes=10-", 10, "beyond"],
	["bytes=-0", 10, "beyond"],
	["bytes=0-", 0, "beyond"],
	["bytes=5-3", 10, null],
	["bytes=-", 10, null],
	["bytes=0-1,3-4", 10, null],
	["lines=0-1", 10, null],
]) {
	test(`range ${header} of ${size} bytes`, () => {
		assert.deepEqual(requested(/** @type {string | null} */ (header), /** @type {number} */ (size)), want);
	});
}
