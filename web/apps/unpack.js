// Takes an archive of learning material apart, before anything in it runs. What could harm is
// refused as a whole: an archive that lies in one place is not to be trusted in another.

import { entries, open, ZipError } from "../zip.js";

/** No app is as large; the unpacked files stay with the browser, which puts them on disk. */
export const MOST_BYTES = 2 * 1024 ** 3;
/** Deflate makes at most a thousandth; material as small as this of its size is made to fill a disk. */
const MOST_TIMES = 200;
/** Below this, however well packed, nothing can be filled. */
const HARMLESS_BYTES = 256 * 1024 ** 2;
const MOST_ENTRIES = 100_000;

const TYPES = /** @type {Record<string, string>} */ ({
	aac: "audio/aac",
	css: "text/css",
	gif: "image/gif",
	htm: "text/html",
	html: "text/html",
	ico: "image/x-icon",
	jpeg: "image/jpeg",
	jpg: "image/jpeg",
	js: "text/javascript",
	json: "application/json",
	m4a: "audio/mp4",
	m4v: "video/mp4",
	mjs: "text/javascript",
	mp3: "audio/mpeg",
	mp4: "video/mp4",
	oga: "audio/ogg",
	ogg: "audio/ogg",
	ogv: "video/ogg",
	otf: "font/otf",
	pdf: "application/pdf",
	png: "image/png",
	svg: "image/svg+xml",
	ttf: "font/ttf",
	txt: "text/plain",
	vtt: "text/vtt",
	wasm: "application/wasm",
	wav: "audio/wav",
	webm: "video/webm",
	webp: "image/webp",
	woff: "font/woff",
	woff2: "font/woff2",
	xhtml: "application/xhtml+xml",
	xml: "application/xml",
});

/** @param {string} name of a file */
export const typeOf = (name) =>
	TYPES[/\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? ""] ?? "application/octet-stream";

/**
 * @param {Blob} archive
 * @returns {Promise<Map<string, Blob>>} files by their path in the archive
 * @throws {ZipError} what is wrong with it, for people
 */
export async function unpack(archive) {
	const list = await entries(archive);
	if (list.length > MOST_ENTRIES) throw new ZipError(`it says that it holds ${list.length} files`);
	const names = new Map(list.map((entry) => [entry, pathOf(entry.name)]));
	const total = list.reduce((sum, { size }) => sum + size, 0);
	if (total > MOST_BYTES) throw new ZipError(`it says that it holds ${total} bytes`);
	if (total > HARMLESS_BYTES && total > archive.size * MOST_TIMES)
		throw new ZipError("it would unpack to far more than it is");
	/** @type {Map<string, Blob>} */
	const files = new Map();
	for (const [entry, name] of names) {
		if (!name.endsWith("/")) files.set(name, await content(archive, entry, typeOf(name)));
	}
	return files;
}

/** @param {string} name as the archive says @returns {string} with slashes; a folder's ends with one */
function pathOf(name) {
	const path = name.replaceAll("\\", "/");
	if (path.startsWith("/") || /^[a-z]:/i.test(path) || path.split("/").includes(".."))
		throw new ZipError(`it holds a file that would lie outside of it: ${name}`);
	return path.replace(/^(?:\.\/)+/, "").replace(/\/{2,}/g, "/");
}

/**
 * @param {Blob} archive
 * @param {import("../zip.js").Entry} entry
 * @param {string} type
 */
async function content(archive, entry, type) {
	let left = entry.size;
	const counted = new TransformStream({
		transform(chunk, controller) {
			left -= chunk.length;
			if (left < 0) controller.error(new ZipError(`${entry.name} is longer than it says`));
			else controller.enqueue(chunk);
		},
	});
	const body = (await open(archive, entry)).pipeThrough(counted);
	const blob = await new Response(body).blob().catch((error) => {
		throw error instanceof ZipError ? error : new ZipError(`${entry.name} is damaged`);
	});
	if (left > 0) throw new ZipError(`${entry.name} is cut short`);
	return new Blob([blob], { type });
}
