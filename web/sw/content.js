// Learning material goes from the browser's private file system straight to the page: the server is
// not asked, so a video plays while the server starts anew or is busy with an import. What is not
// here comes from the host of the build, if that has a mirror of the channel.

import { homeFolder } from "../../worker/protocol.js";
import { pathIn } from "../urls.js";
import { keepAsFile } from "./answers.js";
import { storedInBlocks } from "./blocks.js";

/** Extensions of content files and what the browser must know of them. */
const TYPES = /** @type {Record<string, string>} */ ({
	bloomd: "application/zip",
	bloompub: "application/zip",
	epub: "application/epub+zip",
	gif: "image/gif",
	h5p: "application/zip",
	jpeg: "image/jpeg",
	jpg: "image/jpeg",
	json: "application/json",
	kpub: "application/zip",
	m4a: "audio/mp4",
	mp3: "audio/mpeg",
	mp4: "video/mp4",
	oga: "audio/ogg",
	ogg: "audio/ogg",
	ogv: "video/ogg",
	pdf: "application/pdf",
	perseus: "application/zip",
	png: "image/png",
	svg: "image/svg+xml",
	vtt: "text/vtt; charset=utf-8",
	wav: "audio/wav",
	webm: "video/webm",
	webp: "image/webp",
	zip: "application/zip",
});

const NAME = /^content\/storage\/([0-9a-f])\/([0-9a-f])\/(\1\2[0-9a-f]{30}\.([a-z0-9]{1,40}))$/;

/** What is answered, before it is a Response. @typedef {{status: number, headers: Headers, body: Blob | ReadableStream<Uint8Array> | null}} Piece */

/**
 * @param {Request} request
 * @param {URL} url
 * @param {URL} root the app's folder
 * @param {string | null} download the name under which a person wants to keep the file, if so
 * @returns {Promise<Response>}
 */
export async function content(request, url, root, download) {
	if (!NAME.test(pathIn(url, root) ?? "")) return new Response("Not Found", { status: 404 });
	const found = await piece(request, url, root);
	if (!found) return fetch(url, { headers: request.headers });
	const { status, headers, body } = found;
	if (download !== null) keepAsFile(headers, download);
	return new Response(body, { status, headers });
}

/**
 * What this device has of a file.
 * @param {{method: string, headers: Headers}} request
 * @param {URL} url
 * @param {URL} root the app's folder
 * @returns {Promise<Piece | null>} null when it has none of it
 */
export async function piece(request, url, root) {
	const parts = NAME.exec(pathIn(url, root) ?? "");
	const file = parts && (await stored(root, ["content", "storage", parts[1], parts[2]], parts[3]));
	return file && answer(request, file, parts[3], TYPES[parts[4]]);
}

/**
 * @param {URL} root
 * @param {string[]} folders
 * @param {string} name
 * @returns {Promise<import("./blocks.js").Stored | null>} null when the device does not have it
 */
async function stored(root, folders, name) {
	const home = homeFolder(root);
	/** @type {FileSystemDirectoryHandle} */
	let folder;
	try {
		folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(home);
	} catch {
		return storedInBlocks([home, ...folders, name].join("/"));
	}
	try {
		for (const part of folders) folder = await folder.getDirectoryHandle(part);
		const file = await (await folder.getFileHandle(name)).getFile();
		return { size: file.size, slice: (from, to) => file.slice(from, to) };
	} catch {
		return null;
	}
}

/**
 * @param {{method: string, headers: Headers}} request
 * @param {import("./blocks.js").Stored} file
 * @param {string} name
 * @param {string} [type]
 * @returns {Piece}
 */
function answer(request, file, name, type = "application/octet-stream") {
	const etag = `"${name}"`;
	const headers = new Headers({
		"Content-Type": type,
		"Accept-Ranges": "bytes",
		"Access-Control-Allow-Origin": "*",
		"Cache-Control": "max-age=315360000, public, immutable",
		ETag: etag,
		"X-Content-Type-Options": "nosniff",
		// a picture or document opened by its own address runs nothing with the app's rights
		"Content-Security-Policy":
			"sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'",
	});
	if (request.headers.get("If-None-Match") === etag) return { status: 304, headers, body: null };
	const range = requested(request.headers.get("Range"), file.size);
	if (range === "beyond") {
		headers.set("Content-Range", `bytes */${file.size}`);
		return { status: 416, headers, body: null };
	}
	const [from, to] = range ?? [0, file.size];
	headers.set("Content-Length", String(to - from));
	if (range) headers.set("Content-Range", `bytes ${from}-${to - 1}/${file.size}`);
	const body = request.method === "HEAD" ? null : file.slice(from, to);
	return { status: range ? 206 : 200, headers, body };
}

/**
 * Reads a Range header of one range; others are answered with the whole file.
 * @param {string | null} header
 * @param {number} size in bytes
 * @returns {[number, number] | "beyond" | null} first byte and the one after the last
 */
export function requested(header, size) {
	const parts = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
	if (!parts || (parts[1] === "" && parts[2] === "")) return null;
	if (parts[1] === "") {
		const count = Math.min(Number(parts[2]), size);
		return count > 0 ? [size - count, size] : "beyond";
	}
	const from = Number(parts[1]);
	if (from >= size) return "beyond";
	const to = parts[2] === "" ? size : Math.min(Number(parts[2]) + 1, size);
	return to > from ? [from, to] : null;
}
