import assert from "node:assert/strict";
import { test } from "node:test";
import { archive } from "../../e2e/lib/zip.mjs";
import { relocate, remark, remodule, resource, restyle } from "./markup.js";
import { unpack } from "./unpack.js";

/** Files that are there. */
const link = (address) => (/^(?:\.\/)?(a|b)\.(png|js|css)$/.test(address) ? `blob:${address}` : null);

test("style sheets", () => {
	assert.equal(restyle("p{background:url(a.png)}", link), 'p{background:url("blob:a.png")}');
	assert.equal(restyle(`x{b:url( "a.png" ),url('b.png')}`, link), 'x{b:url("blob:a.png"),url("blob:b.png")}');
	assert.equal(
		restyle('@import "a.css";@import url(b.css);', link),
		'@import "blob:a.css";@import url("blob:b.css");',
	);
	assert.equal(restyle("x{b:url(data:image/png;base64,AA)}", link), "x{b:url(data:image/png;base64,AA)}");
	assert.equal(restyle("x{b:url(other.png)}", link), "x{b:url(other.png)}");
});

test("markup", () => {
	assert.equal(remark('<img alt="" src="a.png">', link), '<img alt="" src="blob:a.png">');
	assert.equal(
		remark("<video poster='a.png'><source src='b.png'></video>", link),
		'<video poster="blob:a.png"><source src="blob:b.png"></video>',
	);
	assert.equal(remark("<img src=a.png>", link), '<img src="blob:a.png">');
	assert.equal(remark('<iframe src="p.html">', link), '<iframe data-kolibri-frame="p.html">');
	assert.equal(remark('<a href="a.png">a.png</a>', link), '<a href="a.png">a.png</a>');
	assert.equal(
		remark('<p style="background:url(a.png)">', link),
		'<p style="background:url(&quot;blob:a.png&quot;)">',
	);
	assert.equal(remark('src="a.png" < b', link), 'src="a.png" < b');
	assert.equal(resource("a.png 1x, b.png 2x, c.png", link), "blob:a.png 1x, blob:b.png 2x, c.png");
});

test("scripts", () => {
	assert.equal(
		relocate("if(window.location.search||location.href)x"),
		"if(kolibriLocation.search||kolibriLocation.href)x",
	);
	assert.equal(
		relocate("my.location.href; allocation.href; {location:1}"),
		"my.location.href; allocation.href; {location:1}",
	);
	const module = remodule(
		'import{a}from"./a.js";import "./b.js";export * from "./a.js";import("./"+x);import.meta.url',
		"http://k/m.js",
		link,
	);
	assert.equal(
		module,
		'import{a}from"blob:./a.js";import "blob:./b.js";export * from "blob:./a.js";kolibriImport("http://k/m.js")("./"+x);"http://k/m.js"',
	);
	assert.equal(remodule('import x from "bare"', "http://k/m.js", link), 'import x from "bare"');
});

test("an archive is unpacked", async () => {
	const files = await unpack(
		archive({ "index.html": "<p>", "img/a.png": "P", "./b.js": "1", "c\\d.css": "x" }),
	);
	assert.deepEqual(
		[...files].map(([name, { type }]) => [name, type]),
		[
			["index.html", "text/html"],
			["img/a.png", "image/png"],
			["b.js", "text/javascript"],
			["c/d.css", "text/css"],
		],
	);
	assert.equal(await files.get("img/a.png").text(), "P");
});

for (const [what, made, why] of /** @type {[string, () => Blob, RegExp][]} */ ([
	["a file above", () => archive({ "../evil.js": "1" }), /outside/],
	["a file above, in the middle", () => archive({ "a/../../evil.js": "1" }), /outside/],
	["a file above, the other slash", () => archive({ "a\\..\\..\\evil.js": "1" }), /outside/],
	["an absolute name", () => archive({ "/etc/passwd": "1" }), /outside/],
	["a drive", () => archive({ "C:\\evil": "1" }), /outside/],
	["four gigabytes, it says", () => archive({ "a.bin": "1" }, { size: 0xfffffff0 }), /bytes/],
	["more than it says", () => archive({ "a.bin": "x".repeat(9999) }, { size: 10 }), /longer than it says/],
	["less than it says", () => archive({ "a.bin": "x" }, { size: 10 }), /cut short/],
	["far more than it is", () => archive({ "a.bin": "x" }, { size: 300_000_000 }), /far more/],
	["no archive", () => new Blob(["hello"]), /no zip archive/],
])) {
	test(`refused: ${what}`, async () => {
		await assert.rejects(unpack(made()), why);
	});
}
