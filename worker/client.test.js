// Both ends of the protocol against each other, with a stand-in for Go.
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Connection } from "./client.js";
import { CookieJar } from "./jar.js";
import { acceptLanguage, CREDIT, PART, VERSION } from "./protocol.js";
import { PortServer } from "./server.js";

const text = (/** @type {any} */ body) => new Response(body).text();
const tick = (ms = 5) => new Promise((go) => setTimeout(go, ms));

/** Waits until something holds. @param {() => unknown} holds */
async function until(holds) {
	for (const end = Date.now() + 3000; !holds() && Date.now() < end; ) await tick(2);
	assert.ok(holds());
}

/** @type {(() => void)[]} */
const cleanup = [];
afterEach(() => {
	for (const done of cleanup.splice(0)) done();
});

/** A server worker whose "Go" answers as `serve` says. */
function makeServer(/** @type {any} */ serve = {}, epoch = crypto.randomUUID()) {
	const jar = new CookieJar();
	/** @type {any[]} */
	const calls = [];
	const server = new PortServer({
		root,
		epoch,
		build: "b1",
		jar,
		saveJar: async () => {},
		onFirstAnswer: () => calls.push(["first answer"]),
	});
	const hooks = Object.fromEntries(
		["request", "chunk", "credit", "cancel"].map((name) => [
			name,
			(/** @type {any[]} */ ...args) => {
				calls.push([name, ...args]);
				serve[name]?.(...args);
			},
		]),
	);
	const of = (/** @type {string} */ name) => calls.filter((c) => c[0] === name).map((c) => c.slice(1));
	return { server, jar, calls, of, start: () => server.start(/** @type {any} */ (hooks)), epoch };
}

const root = new URL(`https://a.example/${crypto.randomUUID()}/`);

function makeClient(/** @type {any} */ place, options = {}) {
	const connection = new Connection({
		root,
		deliver: (port) => place.server.connect(port),
		patience: 100,
		...options,
	});
	cleanup.push(() => connection.close());
	return connection;
}

const get = (path = "api/x/") => ({ method: "GET", url: new URL(path, root).href });

test("an answer with a tag is asked for with it, until somebody else signs in", async () => {
	/** @type {(string | null)[]} */
	const asked = [];
	let session = "";
	const place = makeServer({
		request: (/** @type {number} */ id, _method = "", _url = "", headers = "") => {
			const tag = /If-None-Match: (.*)\r\n/.exec(headers)?.[1] ?? null;
			asked.push(tag);
			const head = `ETag: "1"\r\n${session}`;
			if (tag) place.server.respond(id, 304, head, null);
			else place.server.respond(id, 200, `${head}Allow: GET\r\n`, new TextEncoder().encode("hello"));
		},
	});
	place.start();
	const client = makeClient(place);
	for (const last of [false, false, true]) {
		if (last) session = "Set-Cookie: kolibri=b; HttpOnly; Path=/\r\n";
		const answer = await client.request(get());
		assert.equal(answer.status, 200);
		assert.equal(await text(answer.body), "hello");
		assert.deepEqual(answer.headers.map(([name]) => name).sort(), ["Allow", "ETag"]);
	}
	assert.equal((await client.request({ ...get(), headers: [["If-None-Match", '"1"']] })).status, 304);
	await client.request(get());
	assert.deepEqual(asked, [null, '"1"', '"1"', '"1"', null]);
});

test("a short answer travels whole", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) =>
			place.server.respond(
				id,
				201,
				"Content-Type: text/plain\r\nX-Two: a\r\nX-Two: b\r\n",
				new TextEncoder().encode("hello"),
			),
	});
	place.start();
	const answer = await makeClient(place).request({
		...get(),
		method: "POST",
		headers: [["Accept", "x"]],
		body: new TextEncoder().encode("question"),
		timeout: 5000,
	});
	assert.equal(answer.status, 201);
	assert.deepEqual(answer.headers, [
		["Content-Type", "text/plain"],
		["X-Two", "a"],
		["X-Two", "b"],
	]);
	assert.equal(await text(answer.body), "hello");
	const [id, method, url, headers, body, streams, timeout] = place.of("request")[0];
	assert.deepEqual(
		[id, method, url, headers, new TextDecoder().decode(body), streams, timeout],
		[1, "POST", get().url, "Accept: x\r\n", "question", false, 5000],
	);
	assert.equal(place.of("first answer").length, 1);
});

test("requests wait while the server starts, in their order", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) => place.server.respond(id, 204, "", null),
	});
	const client = makeClient(place);
	const answers = Promise.all([client.request(get("a")), client.request(get("b"))]);
	await tick(250); // longer than a client's patience with a server that is silent
	assert.equal(place.of("request").length, 0);
	place.start();
	assert.deepEqual(
		(await answers).map((a) => a.status),
		[204, 204],
	);
	assert.deepEqual(
		place.of("request").map((r) => r[2].slice(-1)),
		["a", "b"],
	);
});

test("a server that is slow to say hello is heard in the end", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) => place.server.respond(id, 204, "", null),
	});
	place.start();
	const client = makeClient(place, {
		patience: 20,
		deliver: async (/** @type {MessagePort} */ port) => {
			await tick(150);
			place.server.connect(port);
		},
	});
	const answer = await Promise.race([client.request(get()), tick(5000)]);
	assert.equal(/** @type {any} */ (answer)?.status, 204);
});

test("a timeout counts from when the server takes the request", async () => {
	const place = makeServer();
	const client = makeClient(place);
	/** @type {string[]} */
	const ends = [];
	for (const method of ["GET", "PUT"]) {
		client.request({ ...get(), method, timeout: 50 }).catch(({ code }) => ends.push(code));
	}
	await tick(250);
	assert.deepEqual(ends, [], "the server was still starting");
	place.start();
	await until(() => ends.length === 2);
	assert.deepEqual(ends, ["timeout", "timeout"]);
});

test("a long answer streams as its reader reads, and no faster", async () => {
	const place = makeServer({ request: (/** @type {number} */ id) => place.server.head(id, 200, "") });
	place.start();
	const answer = await makeClient(place).request(get());
	for (let sent = 0; sent < CREDIT; sent += PART) place.server.data(1, new Uint8Array(PART));
	await tick();
	assert.equal(place.of("credit").length, 0, "nobody has read yet");
	const reader = /** @type {ReadableStream} */ (answer.body).getReader();
	for (let i = 0; i < 2; i++) assert.equal((await reader.read()).value.length, PART);
	await until(() => place.of("credit").reduce((n, [, more]) => n + more, 0) === 2 * PART);
	place.server.end(1);
	let rest = 0;
	for (let part = await reader.read(); !part.done; part = await reader.read()) rest += part.value.length;
	assert.equal(rest, CREDIT - 2 * PART);
});

test("an upload streams as Go reads, and no faster", async () => {
	const place = makeServer();
	place.start();
	const size = CREDIT * 2;
	const answer = makeClient(place).request({
		...get(),
		method: "PUT",
		body: new Blob([new Uint8Array(size)]).stream(),
	});
	const came = () => place.of("chunk").reduce((n, [, bytes]) => n + (bytes?.length ?? 0), 0);
	await until(() => came() >= CREDIT);
	await tick(50);
	assert.ok(came() < CREDIT + PART, `${came()} bytes came without credit`);
	place.server.consumed(1, size);
	await until(() => place.of("chunk").at(-1)?.[1] === null);
	assert.equal(came(), size);
	place.server.respond(1, 204, "", null);
	assert.equal((await answer).status, 204);
});

test("cancelling reaches Go and rejects", async () => {
	const place = makeServer();
	place.start();
	const abort = new AbortController();
	const answer = makeClient(place).request({ ...get(), signal: abort.signal });
	await until(() => place.of("request").length);
	abort.abort();
	await assert.rejects(answer, { code: "cancelled" });
	await until(() => place.of("cancel").length);
	assert.deepEqual(place.of("cancel"), [[1]]);
	place.server.respond(1, 200, "Set-Cookie: late=1\r\n", null); // no longer anybody's, but the cookie counts
	assert.equal(place.jar.get("late"), "1");
	await assert.rejects(makeClient(place).request({ ...get(), signal: AbortSignal.abort() }), {
		code: "cancelled",
	});
});

test("a reader that goes away cancels", async () => {
	const place = makeServer({ request: (/** @type {number} */ id) => place.server.head(id, 200, "") });
	place.start();
	const answer = await makeClient(place).request(get());
	await /** @type {ReadableStream} */ (answer.body).cancel();
	await until(() => place.of("cancel").length);
	assert.deepEqual(place.of("cancel"), [[1]]);
});

test("out of time rejects and cancels", async () => {
	const place = makeServer();
	place.start();
	await assert.rejects(makeClient(place).request({ ...get(), timeout: 200 }), { code: "timeout" });
	await until(() => place.of("cancel").length);
	assert.deepEqual(place.of("cancel"), [[1]]);
});

test("an answer that breaks off errors its stream", async () => {
	const place = makeServer({ request: (/** @type {number} */ id) => place.server.head(id, 200, "") });
	place.start();
	const answer = await makeClient(place).request(get());
	place.server.data(1, new Uint8Array(3));
	place.server.abort(1, "boom");
	await assert.rejects(text(answer.body), { code: "broken" });
});

test("when the server changes hands, reads are repeated and writes fail, none twice", async () => {
	const first = makeServer();
	first.start();
	const place = { server: first.server };
	const client = makeClient(place);
	const read = client.request(get());
	const write = client.request({ ...get(), method: "POST", body: new Uint8Array(1) });
	await until(() => first.of("request").length === 2);
	const second = makeServer({
		request: (/** @type {number} */ id) => second.server.respond(id, 200, "", null),
	});
	place.server = second.server;
	second.start();
	const news = new BroadcastChannel(client.news.name);
	news.postMessage({ t: "leading", epoch: second.epoch });
	assert.equal((await read).status, 200);
	const failed = await write;
	assert.equal(failed.status, 503);
	assert.match(await text(failed.body), /not available/);
	news.close();
	assert.deepEqual(
		second.of("request").map((r) => r[1]),
		["GET"],
	);
	assert.equal((await client.request({ ...get(), method: "POST" })).status, 200, "later writes go through");
});

test("a write that a dead server never took goes to the next one", async () => {
	const dead = {
		connect: (/** @type {MessagePort} */ port) =>
			port.postMessage({ t: "hello", version: VERSION, epoch: "dead" }),
	};
	const place = { server: /** @type {any} */ (dead) };
	const client = makeClient(place);
	const write = client.request({ ...get(), method: "POST", body: new Uint8Array([7]) });
	await until(() => client.epoch === "dead");
	const next = makeServer({ request: (/** @type {number} */ id) => next.server.respond(id, 201, "", null) });
	next.start();
	place.server = next.server;
	const news = new BroadcastChannel(client.news.name);
	news.postMessage({ t: "leading", epoch: next.epoch });
	assert.equal((await write).status, 201);
	news.close();
	assert.equal(next.of("request").length, 1);
	assert.deepEqual(next.of("request")[0][4], new Uint8Array([7]));
});

test("a write that waited for a server that never spoke goes to the next one", async () => {
	const place = { server: { connect: () => {} } };
	const client = makeClient(place);
	const write = client.request({ ...get(), method: "POST" });
	await tick(20);
	const next = makeServer({ request: (/** @type {number} */ id) => next.server.respond(id, 201, "", null) });
	next.start();
	place.server = /** @type {any} */ (next.server);
	assert.equal((await write).status, 201);
	assert.equal(next.of("request").length, 1);
});

test("a page that goes away stops its reads, not its writes", async () => {
	const place = makeServer();
	place.start();
	const client = makeClient(place);
	client.request(get()).catch(() => {});
	client.request({ ...get(), method: "POST" }).catch(() => {});
	await until(() => place.of("request").length === 2);
	client.close();
	await until(() => place.of("cancel").length);
	assert.deepEqual(place.of("cancel"), [[1]]);
});

test("cookies and the CSRF token are this side's business", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) =>
			place.server.respond(
				id,
				200,
				"Set-Cookie: kolibri=s; HttpOnly; Path=/\r\nSet-Cookie: kolibri_csrftoken=t1; Path=/\r\n",
				null,
			),
	});
	place.start();
	/** @type {string[][]} */
	const told = [];
	const client = makeClient(place, { onCookies: (/** @type {string[]} */ cookies) => told.push(cookies) });
	const first = await client.request(get());
	assert.deepEqual(first.headers, []);
	assert.deepEqual(told, [[`kolibri_csrftoken=t1; Path=${root.pathname}; SameSite=Lax`]]);
	await client.request({
		...get(),
		headers: [
			["Cookie", "kolibri=forged"],
			["x-csrftoken", "stale"],
		],
	});
	assert.equal(place.of("request")[1][3], "Cookie: kolibri=s; kolibri_csrftoken=t1\r\nX-CSRFToken: t1\r\n");
	const all = await client.request({ ...get(), cookies: true });
	assert.equal(all.cookies?.length, 1);
});

test("what a browser adds to every request is added, unless the page did", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) => place.server.respond(id, 204, "", null),
	});
	place.server.always = [["Accept-Language", acceptLanguage(["fr-CH", "fr", "en"])]];
	place.start();
	const client = makeClient(place);
	await client.request(get());
	await client.request({ ...get(), headers: [["accept-language", "sw"]] });
	assert.deepEqual(
		place.of("request").map((r) => r[3]),
		["Accept-Language: fr-CH,fr;q=0.9,en;q=0.8\r\n", "accept-language: sw\r\n"],
	);
});

test("an answer waits until its cookies are saved", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id) => place.server.respond(id, 200, "Set-Cookie: a=1\r\n", null),
	});
	let saved = false;
	place.server.saveJar = async () => {
		await tick(20);
		saved = true;
	};
	place.start();
	await makeClient(place).request(get());
	assert.ok(saved);
});

test("many requests at once keep apart", async () => {
	const place = makeServer({
		request: (/** @type {number} */ id, /** @type {string} */ _m, /** @type {string} */ url) =>
			setTimeout(() => place.server.respond(id, 200, "", new TextEncoder().encode(url)), Math.random() * 20),
	});
	place.start();
	const clients = [makeClient(place), makeClient(place)];
	await Promise.all(
		Array.from({ length: 100 }, async (_, i) => {
			const answer = await clients[i % 2].request(get(`n/${i}`));
			assert.equal(await text(answer.body), get(`n/${i}`).url);
		}),
	);
});

test("a client outside of the browser keeps its cookies itself and gets nothing of this origin's", async () => {
	const place = makeServer();
	place.jar.set("kolibri=secret; HttpOnly");
	place.jar.set("kolibri_csrftoken=mine");
	place.start();
	const client = makeClient(place);
	const headers = /** @type {[string, string][]} */ ([
		["Cookie", "kolibri=theirs"],
		["X-CSRFToken", "forged"],
	]);
	const ask = (signal) =>
		client.request({ method: "GET", url: `${root}x`, headers, from: "192.0.2.7:5", signal });
	const first = ask();
	await until(() => place.of("request").length === 1);
	const [id, , , lines, , , , from] = place.of("request")[0];
	assert.equal(lines, "Cookie: kolibri=theirs\r\nX-CSRFToken: forged\r\n");
	assert.equal(from, "192.0.2.7:5");
	place.server.respond(id, 200, "Set-Cookie: kolibri=other\r\nSet-Cookie: a=b\r\n", null);
	assert.deepEqual((await first).headers, [
		["Set-Cookie", "kolibri=other"],
		["Set-Cookie", "a=b"],
	]);
	// its answer comes too late: still nobody else's cookie
	const stop = new AbortController();
	const second = ask(stop.signal).catch(() => {});
	await until(() => place.of("request").length === 2);
	stop.abort();
	await second;
	await until(() => place.of("cancel").length === 1);
	place.server.respond(place.of("request")[1][0], 200, "Set-Cookie: kolibri=late\r\n", null);
	assert.equal(place.jar.get("kolibri"), "secret");
});
