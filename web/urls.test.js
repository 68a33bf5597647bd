import assert from "node:assert/strict";
import { test } from "node:test";
import { addMark, classify, pathIn, takeMark } from "./urls.js";

const KINDS = {
	page: [
		"",
		"index.html",
		"en/",
		"en/learn/",
		"en/learn/#/topics",
		"en/learn/my-downloads",
		"es-419/coach/",
		"zh-hans/setup/",
		"ar/auth/?next=/ar/learn/",
		"en/redirectuser/",
		"en/logout/",
		"learn/",
		"user/",
		"facility",
		"en/facility/index.html",
	],
	asset: [
		"static/kolibri.core.default_frontend/kolibri.core.default_frontend-0.19.5.js",
		"app/shell-0123.js",
		"app/home-0123.sqlite3",
		"data/messages/en.json",
		"manifest.webmanifest",
		"favicon.ico",
		"icons/icon-192.png",
	],
	module: ["app/server-0123456789abcdef.wasm"],
	script: ["sw.js"],
	content: ["content/storage/a/b/ab0123.mp4"],
	zipped: ["content/zipcontent/abc.zip/index.html"],
	server: [
		"api/auth/session/current/",
		"api/public/info/",
		"learn/api/state",
		"en/learn/api/homehydrate",
		"facility/api/downloadcsvfile/summary/123/",
		"en/i18n/setlang/",
		"en/plugins/",
		"content/databases/abc.sqlite3",
		"_host/backup",
		"status/",
		"en",
		"static",
		"learnings/",
		"en/learn/logo.svg",
	],
};

for (const place of ["https://a.example/", "https://a.example/some/path/"]) {
	const root = new URL(place);
	for (const [kind, paths] of Object.entries(KINDS)) {
		for (const path of paths) {
			test(`${place}${path} is ${kind}`, () => {
				assert.equal(classify(new URL(path, root), root), kind);
			});
		}
	}
}

test("other origins and other folders are outside", () => {
	const root = new URL("https://a.example/app/");
	for (const address of [
		"https://b.example/app/",
		"https://a.example/",
		"https://a.example/apple/",
		"http://a.example/app/",
	]) {
		assert.equal(classify(new URL(address), root), "outside", address);
		assert.equal(pathIn(new URL(address), root), null);
	}
	assert.equal(pathIn(new URL("https://a.example/app/en/learn/?x=1#y"), root), "en/learn/");
});

test("a download mark goes on and comes off, with the file's name", () => {
	const url = new URL("https://a.example/content/storage/a/b/ab.pdf?x=1");
	const marked = addMark(url, "Größe 1.pdf");
	assert.deepEqual(takeMark(marked), { url, download: true, name: "Größe 1.pdf" });
	assert.deepEqual(takeMark(url), { url, download: false, name: "" });
	assert.equal(takeMark(addMark(url, "")).download, true);
});
