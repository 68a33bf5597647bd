import assert from "node:assert/strict";
import { test } from "node:test";
import { appsFolder, isForApps } from "./origins.js";

const PAGE = "http://school.example:8000/some/path/";

for (const [setting, folder] of /** @type {[string, string | null][]} */ ([
	["", null],
	[":8001", "http://school.example:8001/some/path/"],
	["zip.", "http://zip.school.example:8000/some/path/"],
	["https://apps.example/kolibri", "https://apps.example/kolibri/"],
])) {
	test(`apps' folder by ${setting || "no setting"}`, () => {
		assert.equal(appsFolder(setting, new URL(`${PAGE}?x#y`))?.href ?? null, folder);
	});
}

for (const [setting, page, here, is] of /** @type {[string, string, string, boolean][]} */ ([
	["", "http://a.example/", "http://b.example/", false],
	["", "http://a.example/", "http://a.example/", false],
	[":8001", "http://a.example:8000/", "http://a.example:8001/x", true],
	[":8001", "http://a.example:8001/", "http://a.example:8001/x", false],
	[":8001", "http://b.example:8000/", "http://a.example:8001/x", false],
	[":8001", "http://a.example:9/", "http://a.example:8000/x", false],
	["zip.", "https://a.example/", "https://zip.a.example/x", true],
	["zip.", "https://zip.a.example/", "https://a.example/x", false],
	["zip.", "https://evil.example/", "https://a.example/x", false],
	["https://apps.example/", "https://a.example/", "https://apps.example/x", true],
	["https://apps.example/", "https://apps.example/", "https://apps.example/x", false],
])) {
	test(`apps of ${page} at ${here} by ${setting || "no setting"}: ${is}`, () => {
		assert.equal(isForApps(setting, new URL(page), new URL(here)), is);
	});
}
