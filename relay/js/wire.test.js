// The tab's end of the frames, fed with what a relay might send and what none should.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as wire from "./wire.js";

const { KIND, Malformed } = wire;
const frame = (/** @type {Parameters<typeof wire.encode>} */ ...of) => wire.decode(wire.encode(...of).buffer);

test("frames come back", () => {
	const payload = new Uint8Array([1, 2, 3]);
	assert.deepEqual(frame(KIND.data, 7, payload, true), { kind: KIND.data, end: true, stream: 7, payload });
	const head = { method: "GET", url: "http://a/", headers: [["A", "ü"]], from: "a", timeout: 1 };
	const sent = wire.decode(wire.encodeHead(KIND.request, 2 ** 31 - 1, head, payload, false).buffer);
	assert.deepEqual(wire.readRequest(sent.payload), { head, body: payload });
	assert.equal(sent.stream, 2 ** 31 - 1);
	assert.equal(wire.readWindow(wire.decode(wire.encodeWindow(1, 99).buffer).payload), 99);
});

test("what is no frame is refused", () => {
	const cases = {
		nothing: new Uint8Array(),
		short: new Uint8Array(5),
		unknown: wire.encode(99, 0),
		"stream zero": wire.encode(KIND.data, 0, new Uint8Array(1)),
		"ping on a stream": wire.encode(KIND.ping, 1),
		"empty part": wire.encode(KIND.data, 1),
		"long part": wire.encode(KIND.data, 1, new Uint8Array(wire.MAX_PART + 1)),
		"end of a window": wire.encode(KIND.window, 1, new Uint8Array(4), true),
		"short window": wire.encode(KIND.window, 1, new Uint8Array(3)),
		"no code": wire.encode(KIND.reset, 1, new Uint8Array(1)),
		"longer than any": new Uint8Array(2 ** 20),
	};
	for (const [name, message] of Object.entries(cases)) {
		assert.throws(() => wire.decode(/** @type {ArrayBuffer} */ (message.buffer)), Malformed, name);
	}
	const request = (/** @type {unknown} */ head) =>
		wire.readRequest(
			wire.decode(wire.encodeHead(KIND.request, 1, head, new Uint8Array(), true).buffer).payload,
		);
	const good = { method: "GET", url: "http://a/", headers: [], from: "a" };
	assert.ok(request(good));
	for (const bad of [
		null,
		[],
		"text",
		{ ...good, method: 1 },
		{ ...good, url: null },
		{ ...good, from: undefined },
		{ ...good, headers: {} },
		{ ...good, headers: [["A"]] },
		{ ...good, headers: [["A", "b\r\nc: d"]] },
	]) {
		assert.throws(() => request(bad), Malformed, JSON.stringify(bad));
	}
});

/** Numbers that look random and are the same each time. @param {number} seed */
function* numbers(seed) {
	for (let x = seed; ; ) {
		x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
		yield x >>> 8;
	}
}

test("fuzz: whatever comes is a frame or refused, nothing else is thrown", () => {
	const next = numbers(Number(process.env.SEED ?? 1));
	const random = (/** @type {number} */ below) => /** @type {number} */ (next.next().value) % below;
	const head = { method: "GET", url: "http://a/", headers: [["A", "b"]], from: "a", timeout: 1 };
	const seeds = [
		wire.encodeHead(KIND.request, 1, head, new Uint8Array(9), true),
		wire.encodeWindow(1, 5),
		wire.encodeReset(1, 2, "why"),
		wire.encodeJSON(KIND.welcome, { session: "a", addresses: [], hosts: [] }),
	];
	let good = 0;
	for (let n = 0; n < 20_000; n++) {
		let message = seeds[random(seeds.length)].slice();
		for (let changes = random(4); changes-- > 0; ) message[random(message.length)] = random(256);
		if (random(4) === 0) message = message.slice(0, random(message.length + 1));
		try {
			const { kind, payload } = wire.decode(message.buffer);
			if (kind === KIND.request) wire.readRequest(payload);
			else if (kind === KIND.window) wire.readWindow(payload);
			else if (kind === KIND.welcome) wire.readJSON(payload);
			good++;
		} catch (error) {
			assert.ok(error instanceof Malformed, `${error} of ${message}`);
		}
	}
	assert.ok(good > 1000);
});
