// A tab's connection against a relay that is played by the test.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { Link, plainCode } from "./link.js";
import * as wire from "./wire.js";

const { KIND } = wire;
const tick = (ms = 2) => new Promise((go) => setTimeout(go, ms));
const NOTHING = new Uint8Array();

/** @param {() => unknown} holds */
async function until(holds) {
	for (const end = Date.now() + 3000; !holds() && Date.now() < end; ) await tick();
	assert.ok(holds());
}

/** Makes a tab that has joined. @param {any} serve */
async function joined(serve, options = {}) {
	/** @type {any[]} */
	const states = [];
	/** @type {any[]} */
	const sockets = [];
	const link = new Link({
		relay: "http://relay.example/",
		code: "ab-cd",
		about: { kind: "kolibri" },
		serve,
		onState: (state) => states.push(state),
		connect: () => {
			const socket = {
				sent: /** @type {any[]} */ ([]),
				closed: 0,
				bufferedAmount: 0,
				send: (/** @type {Uint8Array} */ m) => socket.sent.push(wire.decode(m.slice().buffer)),
				close: (/** @type {number} */ code) => {
					socket.closed = code;
				},
				say: (/** @type {Uint8Array} */ m) => socket.onmessage({ data: m.slice().buffer }),
				onmessage: /** @type {any} */ (null),
				onclose: /** @type {any} */ (null),
				of: (/** @type {number} */ kind) => socket.sent.filter((f) => f.kind === kind),
			};
			sockets.push(socket);
			return /** @type {any} */ (socket);
		},
		...options,
	});
	link.start();
	const welcome = async (/** @type {any} */ socket) => {
		socket.say(wire.encodeJSON(KIND.hello, { version: 1, nonce: "n" }));
		await until(() => socket.of(KIND.join).length);
		const admission = { session: "s", key: "k", addresses: [], picture: null, hosts: [] };
		socket.say(wire.encodeJSON(KIND.welcome, admission));
	};
	await welcome(sockets[0]);
	return { link, states, sockets, socket: sockets[0], welcome };
}

const ask = (/** @type {number} */ id, body = NOTHING, end = true) =>
	wire.encodeHead(
		KIND.request,
		id,
		{ method: "GET", url: "http://a/", headers: [], from: "a", timeout: 1 },
		body,
		end,
	);

test("the code is proved and not told", async () => {
	const { socket, link } = await joined(async () => ({ status: 200, headers: [], body: null }));
	const application = wire.readJSON(socket.of(KIND.join)[0].payload);
	assert.match(application.proof, /^[0-9a-f]{64}$/);
	assert.ok(!JSON.stringify(application).includes(plainCode("ab-cd")));
	link.stop();
	assert.equal(socket.closed, wire.CLOSE.stopped);
});

test("an answer keeps to the room that there is, and a slow relay holds it", async () => {
	const body = new Uint8Array(wire.WINDOW + 100_000);
	const { socket, link } = await joined(async () => ({ status: 200, headers: [], body }));
	socket.say(ask(1));
	const sent = () => socket.of(KIND.data).reduce((n, f) => n + f.payload.length, 0);
	await until(() => sent() === wire.WINDOW);
	await tick(20);
	assert.equal(sent(), wire.WINDOW);
	socket.bufferedAmount = 1e9;
	socket.say(wire.encodeWindow(1, 200_000));
	await tick(20);
	assert.equal(sent(), wire.WINDOW, "the socket is full");
	socket.bufferedAmount = 0;
	await until(() => sent() === body.length);
	await until(() => socket.of(KIND.data).at(-1).end);
	link.stop();
});

test("an upload is read as there is room, and a client that goes away aborts the handler", async () => {
	let aborted = false;
	/** @type {any} */
	let reader;
	const { socket, link } = await joined(async (/** @type {any} */ { body, signal }) => {
		reader = body.getReader();
		signal.onabort = () => {
			aborted = true;
		};
		return new Promise(() => {});
	});
	socket.say(ask(1, NOTHING, false));
	const part = new Uint8Array(wire.MAX_PART);
	for (let n = 0; n < wire.WINDOW / wire.MAX_PART; n++) socket.say(wire.encode(KIND.data, 1, part));
	await tick(5);
	assert.equal(socket.of(KIND.window).length, 0, "nothing was read, no more room is given");
	await reader.read();
	await reader.read();
	await until(() => socket.of(KIND.window).length > 0);
	socket.say(wire.encodeReset(1, 1, ""));
	await until(() => aborted);
	await assert.rejects(async () => {
		for (;;) if ((await reader.read()).done) return;
	});
	link.stop();
});

test("frames that make no sense end the connection, and the tab comes back", async () => {
	const bad = {
		text: "text",
		"more than there was room for": [
			ask(1, NOTHING, false),
			...Array.from({ length: 9 }, () => wire.encode(KIND.data, 1, new Uint8Array(wire.MAX_PART))),
		],
		"a stream twice": [ask(1), ask(1)],
		"an answer from a relay": [ask(1), wire.encodeHead(KIND.response, 1, { status: 200 }, NOTHING, true)],
		"no kind": [wire.encode(77, 0)],
	};
	for (const [name, messages] of Object.entries(bad)) {
		const { socket, states, link } = await joined(() => new Promise(() => {}));
		for (const m of messages) {
			if (typeof m === "string") socket.onmessage({ data: m });
			else socket.say(m);
		}
		await until(() => socket.closed === wire.CLOSE.protocol);
		assert.equal(states.at(-1).state, "ended", name);
		link.stop();
	}
});

test("a lost connection is made anew by the session, a refused session by the code", async () => {
	const { sockets, states, link, welcome } = await joined(async () => ({
		status: 200,
		headers: [],
		body: null,
	}));
	sockets[0].onclose({ code: 1006, reason: "" });
	assert.equal(states.at(-1).state, "waiting");
	await until(() => sockets.length === 2);
	await welcome(sockets[1]);
	assert.equal(wire.readJSON(sockets[1].of(KIND.join)[0].payload).session, "s");
	await until(() => states.at(-1).state === "sharing");
	sockets[1].onclose({ code: wire.CLOSE.forbidden, reason: "" });
	assert.equal(sockets.length, 3);
	await welcome(sockets[2]);
	assert.equal(wire.readJSON(sockets[2].of(KIND.join)[0].payload).session, undefined);
	sockets[2].onclose({ code: wire.CLOSE.replaced, reason: "elsewhere" });
	assert.deepEqual(states.at(-1), { state: "ended", code: wire.CLOSE.replaced, message: "elsewhere" });
	link.stop();
});

test("a file goes out by a request of its own, or by frames where the page may send none", async () => {
	const size = 600_000;
	for (const allowed of [true, false]) {
		/** @type {{url: string, bytes: number}[]} */
		const got = [];
		const server = http.createServer(async (request, response) => {
			let bytes = 0;
			for await (const part of request) bytes += part.length;
			got.push({ url: request.url ?? "", bytes });
			response.writeHead(allowed ? 204 : 403).end();
		});
		await new Promise((go) => server.listen(0, "127.0.0.1", () => go(null)));
		const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
		const body = new Blob([new Uint8Array(size)], { type: "video/mp4" });
		const { socket, link } = await joined(async () => ({ status: 200, headers: [], body }), {
			relay: `http://127.0.0.1:${port}/`,
		});
		try {
			socket.say(ask(1));
			const frames = () =>
				socket.of(KIND.data).reduce((/** @type {number} */ n, f) => n + f.payload.length, 0);
			await until(() => (allowed ? got.length === 2 : frames() === wire.WINDOW));
			assert.equal(socket.of(KIND.response).length, 1);
			assert.equal(socket.of(KIND.response)[0].end, false);
			assert.deepEqual(got[0], { url: "/_relay/body", bytes: 0 }, "it asks whether it may, once");
			if (allowed) {
				assert.equal(got[1].bytes, size);
				assert.match(got[1].url, /^\/_relay\/body\/s\/1\?proof=[0-9a-f]{64}$/);
			}
			assert.equal(socket.of(KIND.reset).length, 0);
		} finally {
			link.stop();
			server.close();
			server.closeAllConnections();
		}
	}
});
