// The results of bench/content.mjs as docs/benchmarks-content.md shows them.

const sorted = (/** @type {number[]} */ v) => v.toSorted((a, b) => a - b);
const at = (/** @type {number[]} */ v = [], /** @type {number} */ share) =>
	sorted(v)[Math.min(v.length - 1, Math.floor(v.length * share))];
const ms = (/** @type {number} */ v) => (Number.isFinite(v) ? (v < 10 ? v.toFixed(1) : v.toFixed(0)) : "-");
const times = (/** @type {number} */ v) =>
	Number.isFinite(v) ? `${v < 10 ? v.toFixed(1) : v.toFixed(0)}×` : "-";

/** @param {string[]} head @param {(string | number)[][]} rows */
const table = (head, rows) =>
	[head, head.map((_, i) => (i ? "---:" : "---")), ...rows].map((r) => `| ${r.join(" | ")} |`).join("\n");

/** @param {any} r */
export function report(r) {
	const servers = Object.keys(r.imports);
	const python = r.imports.Python ?? {};
	const imported = servers.map((name) => {
		const { metadata, files, bytes } = r.imports[name];
		return [
			name,
			ms(metadata),
			times(python.metadata / metadata),
			ms(files),
			ms((r.files * 1000) / files),
			(bytes / 1000 / files).toFixed(2),
			times(python.files / files),
		];
	});
	const meanwhile = servers.flatMap((name) =>
		Object.entries(r.imports[name].times).map(([what, v]) => [
			`${name}: ${what}`,
			v.length,
			ms(at(v, 0.5)),
			ms(at(v, 0.95)),
			ms(Math.max(...v)),
		]),
	);
	const rows = r.endpoints.map((/** @type {any} */ { name, wire, seen }) => {
		const [w, n] = [at(wire.Python, 0.5), at(wire.native, 0.5)];
		const [p, t] = [at(seen.Python, 0.5), at(seen.tab, 0.5)];
		return {
			cells: [name, ms(w), ms(n), times(w / n), ms(p), ms(t), times(p / t)],
			native: w / n,
			tab: p / t,
		};
	});
	const overall = (/** @type {"native" | "tab"} */ who) => {
		const all = rows.map((/** @type {any} */ row) => row[who]);
		return `${times(at(all, 0.5))} in the median, ${times(Math.min(...all))} at least`;
	};
	return `# Benchmarks of content

Made by \`make bench-content\` (\`bench/content.mjs\`): everything in one run on one machine; ${r.machine}.
The channel has ${r.nodes} resources and ${r.files} files; the host it comes from is the same for all. "Python" is a
real Kolibri 0.19.5 from pip. The ratios are what counts.

## Import

By Kolibri's own tasks \`remotechannelimport\` and \`remotecontentimport\`, from the request to the end of the task.

${table(["", "metadata, ms", "faster", "files, ms", "files/s", "MB/s", "faster"], imported)}

The tab's module had ${(r.memory / 2 ** 20).toFixed(0)} MiB of memory at the end.

## The page meanwhile

A request of the page every 200 ms during the import, whether or not the one before was answered; in ms.

${table(["", "requests", "median", "95%", "longest"], meanwhile)}

## Browsing and searching

Medians in ms. Native: a client without a browser; ${overall("native")}. Tab: what Kolibri's page sees, in the tab
and of the Python server; ${overall("tab")}.

${table(
	["", "Python", "native", "faster", "Python's page", "tab's page", "faster"],
	rows.map((/** @type {any} */ row) => row.cells),
)}
`;
}
