// Writes cases for a judge of servers: random calls by random people, as many as asked for, always
// the same for a seed.
//
//     node e2e/parity/sequences.mjs --out DIR --seeds 1-200 --calls 50
import fs from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { call } from "./calls.mjs";
import { Sequence } from "./sequence.mjs";

const { values } = parseArgs({
	options: {
		out: { type: "string" },
		seeds: { type: "string", default: "1-200" },
		calls: { type: "string", default: "50" },
	},
});
if (!values.out) {
	console.error("usage: sequences.mjs --out DIR [--seeds 1-200] [--calls 50]");
	process.exit(2);
}
fs.mkdirSync(values.out, { recursive: true });
const [first, last = first] = values.seeds.split("-").map(Number);
for (let seed = first; seed <= last; seed++) {
	const sequence = new Sequence(seed);
	while (sequence.steps.length < Number(values.calls)) call(sequence);
	const text = { title: `Random calls, seed ${seed}.`, world: "people", steps: sequence.steps };
	fs.writeFileSync(path.join(values.out, `r_${String(seed).padStart(3, "0")}.json`), JSON.stringify(text));
}
