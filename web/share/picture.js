// A QR code as a picture. The relay, which knows the address, says which fields are dark.

const SVG = "http://www.w3.org/2000/svg";
/** Light border that readers need, in fields. */
const QUIET = 4;

/**
 * @param {string[]} rows of 0 and 1
 * @param {string} label
 */
export function picture(rows, label) {
	const size = rows.length + 2 * QUIET;
	let path = "";
	for (const [y, row] of rows.entries()) {
		for (const { index, 0: run } of row.matchAll(/1+/g))
			path += `M${index + QUIET} ${y + QUIET}h${run.length}v1h-${run.length}z`;
	}
	const svg = document.createElementNS(SVG, "svg");
	const set = (/** @type {Element} */ element, /** @type {Record<string, string>} */ attributes) => {
		for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
	};
	set(svg, {
		viewBox: `0 0 ${size} ${size}`,
		role: "img",
		"aria-label": label,
		class: "qr",
		"shape-rendering": "crispEdges",
	});
	const ground = document.createElementNS(SVG, "rect");
	set(ground, { width: String(size), height: String(size), fill: "#fff" });
	const dark = document.createElementNS(SVG, "path");
	set(dark, { d: path, fill: "#000" });
	svg.append(ground, dark);
	return svg;
}
