import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { entries, open, ZipError } from "./zip.js";

/** Archives of Python's making: another program's view of the format. */
function python(script) {
	const folder = mkdtempSync(join(tmpdir(), "zip-"));
	try {
		execFileSync(
			"python3",
			["-c", `import zipfile, io\nz = zipfile.ZipFile("a.zip", "w")\n${script}\nz.close()`],
			{ cwd: folder },
		);
		return new Blob([readFileSync(join(folder, "a.zip"))]);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

const read = async (file, entry) => new Response(await open(file, entry)).text();

test("stored, deflated and nested entries, with a comment at the end", async () => {
	const file = python(`
z.writestr("db.sqlite3", "stored " * 100)
z.writestr("content/ü.txt", "deflated " * 100, zipfile.ZIP_DEFLATED)
z.comment = b"a note"`);
	const list = await entries(file);
	assert.deepEqual(
		list.map((e) => [e.name, e.size]),
		[
			["db.sqlite3", 700],
			["content/ü.txt", 900],
		],
	);
	assert.equal(await read(file, list[0]), "stored ".repeat(100));
	assert.equal(await read(file, list[1]), "deflated ".repeat(100));
});

test("entries that were streamed with zip64 fields", async () => {
	const file = python(`
with z.open("db.sqlite3", "w", force_zip64=True) as f: f.write(b"streamed")`);
	const [entry] = await entries(file);
	assert.equal(entry.size, 8);
	assert.equal(await read(file, entry), "streamed");
});

test("what is no whole zip is refused", async () => {
	const file = python(`z.writestr("db.sqlite3", "x" * 1000)`);
	for (const bad of [new Blob([]), new Blob(["SQLite format 3"]), file.slice(0, 900), file.slice(500)]) {
		await assert.rejects(async () => read(bad, (await entries(bad))[0]), ZipError);
	}
});
