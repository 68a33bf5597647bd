// Results as docs/benchmarks.md shows them.

const ms = (/** @type {number} */ v) => (Number.isFinite(v) ? (v < 10 ? v.toFixed(1) : v.toFixed(0)) : "-");
const times = (/** @type {number} */ v) =>
	Number.isFinite(v) ? `${v < 10 ? v.toFixed(1) : v.toFixed(0)}×` : "-";
const mb = (/** @type {number} */ v) => (Number.isFinite(v) ? (v / 1e6).toFixed(2) : "-");
const middle = (/** @type {number[]} */ v) => v.toSorted((a, b) => a - b)[Math.floor(v.length / 2)];

/** @param {string[]} head @param {(string | number)[][]} rows */
const table = (head, rows) =>
	[head, head.map((_, i) => (i ? "---:" : "---")), ...rows].map((r) => `| ${r.join(" | ")} |`).join("\n");

/** @param {any} r */
export function report(r) {
	const parts = [
		`# Benchmarks

Made by \`make bench\` (\`bench/run.mjs\`): everything in one run on one machine, interleaved, medians of ${r.rounds}
rounds; ${r.machine}. The ratios are what counts. "Python" is a real Kolibri 0.19.5 from pip.`,
	];
	if (r.starts) {
		const row = (/** @type {string} */ name, /** @type {any} */ t) => {
			const [python, go] = [middle(t.reference), middle(t.ours)];
			return [name, ms(python), ms(go), times(python / go)];
		};
		parts.push(
			"## From starting the native command to its first answer",
			table(
				["ms", "Python", "Go", "faster"],
				[row("new home", r.starts.first), row("used home", r.starts.again)],
			),
		);
	}
	if (r.boots) {
		const { first, next, pyodide } = r.boots;
		const row = (/** @type {string} */ name, /** @type {any} */ t, /** @type {number} */ peer) => [
			name,
			ms(t.module),
			ms(t.database),
			ms(t.answering),
			ms(peer),
			times(peer / t.answering),
		];
		parts.push(
			"## From the address typed to the first answer of the API, in Chromium",
			"`module`, `database` and `answering` are the shell's marks; Pyodide runs the same Kolibri's Python in a worker. " +
				"The address is typed when the browser has come up. The next session is one of a browser started anew, 20 s after the " +
				"first page of the first one; Pyodide's is a second visit in the browser that still runs.",
			table(
				["ms", "module", "database", "answering", "Pyodide", "faster"],
				[row("empty profile", first, pyodide.first), row("next session", next, pyodide.next)],
			),
		);
	}
	if (r.cloud) {
		const { ours, two, reference } = r.cloud;
		const row = (/** @type {string} */ name, /** @type {any} */ t) => [
			name,
			ms(t.rate),
			times(t.rate / reference.rate),
			t.memory ? mb(t.memory) : "-",
			t.failed,
		];
		parts.push(
			"## On PostgreSQL, 16 clients, the mix of a recorded tour",
			"Clients, PostgreSQL and servers share the cores, so two processes cannot show what two machines would.",
			table(
				["", "requests/s", "faster", "MB", "errors"],
				[row("Python", reference), row("Go", ours), row("Go, two processes", two)],
			),
		);
	}
	if (r.requests) {
		const done = r.requests.filter((/** @type {any} */ q) => q.status.tab < 400 && q.status.reference < 400);
		const left = r.requests.filter((/** @type {any} */ q) => !done.includes(q));
		const ratios = (/** @type {(q: any) => number} */ of) => done.map(of).toSorted((a, b) => a - b);
		const native = ratios((q) => q.wire.reference / q.wire.ours);
		const tab = ratios((q) => q.seen.reference / q.seen.tab);
		const page = ratios((q) => q.seen.reference / q.seen.ours);
		const line = (/** @type {string} */ name, /** @type {number[]} */ v) => [
			name,
			times(v[0]),
			times(middle(v)),
			times(v.at(-1) ?? NaN),
		];
		parts.push(
			"## Latency of the endpoints",
			`What a recorded tour of Kolibri's pages asks for, with a class of 30 learners. "on the wire" is a client
without a browser on a kept connection; "in a page" is Kolibri's own client in Kolibri's own page: over HTTP to a native
server, over the message port to the worker in the tab.`,
			table(
				["faster than Python", "least", "median", "most"],
				[
					line("native Go, on the wire", native),
					line("native Go, in a page", page),
					line("the tab, in a page", tab),
				],
			),
			table(
				["ms", "as", "Python wire", "Go wire", "Python page", "Go page", "tab", "tab faster"],
				done.map((/** @type {any} */ q) => [
					`\`${q.request}\``,
					q.as,
					ms(q.wire.reference),
					ms(q.wire.ours),
					ms(q.seen.reference),
					ms(q.seen.ours),
					ms(q.seen.tab),
					times(q.seen.reference / q.seen.tab),
				]),
			),
		);
		if (left.length)
			parts.push(
				`Not compared, because one side does not answer them yet: ${left.map((/** @type {any} */ q) => `\`${q.request}\``).join(", ")}.`,
			);
	}
	if (r.pages)
		parts.push(
			"## From one page to the next",
			"From the navigation inside Kolibri to the text of the next page's content, signed in as a superuser.",
			table(
				["ms", "Python", "Go", "tab", "tab takes"],
				r.pages.map((/** @type {any} */ p) => [
					`\`${p.at}\``,
					ms(p.ms.reference),
					ms(p.ms.ours),
					ms(p.ms.tab),
					`${((100 * p.ms.tab) / p.ms.reference).toFixed(0)} % of Python`,
				]),
			),
		);
	parts.push(
		"## Sizes and memory",
		table(
			["MB", "as it is", "brotli"],
			Object.entries(r.sizes).map(([name, s]) => [name, mb(s.raw), mb(s.packed)]),
		),
	);
	if (r.memory)
		parts.push(`Memory of the server's module in the tab at the end of this run: ${mb(r.memory)} MB.`);
	return `${parts.join("\n\n")}\n`;
}
