// A relay that is killed with streams open, and is there again: clients learn that their answers are not
// whole, and the tab comes back by itself.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { until } from "../lib/browser.mjs";
import { inBrowser } from "../lib/fixture.mjs";
import { Relay } from "./relay.mjs";

const FILE = "content/storage/a/b/ab000000000000000000000000000000.mp4";
const MB = 64;

test(
	"a relay is killed with streams open, and the tab serves the next one",
	inBrowser(async ({ browser }) => {
		const relay = await new Relay("--code", "school-code").start();
		try {
			await browser.open(`?relay=${encodeURIComponent(relay.url)}&code=school-code`);
			await relay.joined(1);
			const frame = await browser.mounted();
			await frame.evaluate(
				async ([file, mb]) => {
					let folder = await navigator.storage.getDirectory();
					const parts = `kolibri-home/${file}`.split("/");
					for (const part of parts.slice(0, -1))
						folder = await folder.getDirectoryHandle(part, { create: true });
					const handle = await folder.getFileHandle(parts.at(-1) ?? "", { create: true });
					const out = await handle.createWritable();
					for (let i = 0; i < Number(mb); i++) await out.write(new Uint8Array(2 ** 20).fill(i));
					await out.close();
				},
				[FILE, MB],
			);
			let died = () => {};
			/** @type {Promise<void>} */
			const dead = new Promise((go) => {
				died = go;
			});
			/** @type {Promise<{bytes: number, whole: boolean}>[]} */
			const answers = [];
			for (let n = 0; n < 8; n++) {
				await new Promise((begun) => {
					answers.push(
						new Promise((resolve) => {
							http.get(relay.url + FILE, { agent: false }, (answer) => {
								let bytes = 0;
								answer.once("readable", () => begun(null));
								// none may end before the relay does
								dead.then(() => {
									answer.on("data", (part) => {
										bytes += part.length;
									});
								});
								answer.on("error", () => {});
								answer.on("close", () => resolve({ bytes, whole: answer.complete }));
							});
						}),
					);
				});
			}
			await relay.stop("SIGKILL");
			died();
			for (const { bytes, whole } of await Promise.all(answers)) {
				assert.equal(whole, false, "what was cut does not look whole");
				assert.ok(bytes < MB * 2 ** 20, `${bytes} bytes`);
			}
			await relay.start();
			await relay.joined(1);
			const again = await until(async () => {
				const answer = await relay.get(FILE);
				return answer.status === 200 && answer;
			}, "the file from the tab that came back");
			assert.equal(again.bytes.length, MB * 2 ** 20);
			assert.deepEqual([again.bytes.at(0), again.bytes.at(-1)], [0, MB - 1]);
		} finally {
			await relay.remove();
		}
	}),
);
