import assert from "node:assert/strict";
import { test } from "node:test";
import { CookieJar } from "./jar.js";

const START = Date.parse("2026-01-01T00:00:00Z");

function jarAt(now = START) {
	const clock = { now };
	return { clock, jar: new CookieJar(() => clock.now) };
}

test("keeps what it is given and sends it back", () => {
	const { jar } = jarAt();
	assert.deepEqual(jar.set("kolibri=abc; HttpOnly; Path=/; SameSite=Lax"), {
		name: "kolibri",
		visible: false,
		changed: true,
	});
	jar.set("kolibri_csrftoken=t=1; Max-Age=31449600; Path=/");
	assert.equal(jar.header("/en/learn/"), "kolibri=abc; kolibri_csrftoken=t=1");
	assert.equal(jar.get("kolibri_csrftoken"), "t=1");
});

test("shows pages what is not HttpOnly, and nothing else", () => {
	const { jar } = jarAt();
	jar.set("kolibri=abc; HttpOnly");
	jar.set("visitor_id=v1; Max-Age=60");
	jar.set("seen=1");
	assert.deepEqual(jar.visible("/app/"), [
		"visitor_id=v1; Path=/app/; SameSite=Lax; Max-Age=60",
		"seen=1; Path=/app/; SameSite=Lax",
	]);
	assert.deepEqual(jar.visible("/app/", ["kolibri"]), []);
});

const ENDINGS = {
	"Max-Age=0": "visitor_id=; Max-Age=0",
	"a negative Max-Age": "visitor_id=; Max-Age=-1",
	"an Expires long ago": "visitor_id=; expires=Thu, 01 Jan 1970 00:00:00 GMT",
	"Max-Age=0 against a later Expires": "visitor_id=; Max-Age=0; Expires=Fri, 01 Jan 2027 00:00:00 GMT",
};
for (const [name, header] of Object.entries(ENDINGS)) {
	test(`${name} deletes, and pages forget too`, () => {
		const { jar } = jarAt();
		jar.set("visitor_id=v1; Max-Age=60");
		assert.deepEqual(jar.set(header), { name: "visitor_id", visible: true, changed: true });
		assert.equal(jar.header("/"), "");
		assert.deepEqual(jar.visible("/"), ["visitor_id=; Path=/; SameSite=Lax; Max-Age=0"]);
		jar.set("visitor_id=v2; Max-Age=60");
		assert.deepEqual(jar.visible("/"), ["visitor_id=v2; Path=/; SameSite=Lax; Max-Age=60"]);
	});
}

test("a cookie ends when its time has come, even after the clock jumped", () => {
	const { jar, clock } = jarAt();
	jar.set("a=1; Max-Age=60");
	clock.now = START + 59_999;
	assert.equal(jar.header("/"), "a=1");
	clock.now = START + 60_000;
	assert.equal(jar.header("/"), "");
	assert.equal(jar.get("a"), undefined);
});

test("paths are honoured", () => {
	const { jar } = jarAt();
	jar.set("a=1; Path=/app");
	for (const [path, sent] of Object.entries({ "/app": "a=1", "/app/x": "a=1", "/apple": "", "/": "" })) {
		assert.equal(jar.header(path), sent, path);
	}
});

test("only a change is worth saving", () => {
	const { jar, clock } = jarAt();
	const again = () => jar.set("t=1; Max-Age=31449600")?.changed;
	assert.equal(again(), true);
	clock.now += 60_000;
	assert.equal(again(), false);
	clock.now += 2 * 24 * 3600 * 1000;
	assert.equal(again(), true);
	assert.equal(jar.set("t=2; Max-Age=31449600")?.changed, true);
	assert.equal(jar.set("gone=; Max-Age=0")?.changed, false);
});

test("what was dumped is loaded, and an empty store is an empty jar", () => {
	const { jar } = jarAt();
	jar.set("kolibri=abc; HttpOnly");
	jar.set("old=1");
	jar.set("old=; Max-Age=0");
	const other = jarAt().jar;
	other.load(structuredClone(jar.dump()));
	assert.equal(other.header("/"), "kolibri=abc");
	assert.deepEqual(other.visible("/"), ["old=; Path=/; SameSite=Lax; Max-Age=0"]);
	other.load(undefined);
	assert.equal(other.header("/"), "");
});

test("what is no cookie is none", () => {
	const { jar } = jarAt();
	for (const header of ["", "=x", "nothing", "; Path=/"]) assert.equal(jar.set(header), null, header);
});
