// Reads single files out of a zip that a person chose, without loading the whole into memory. The
// browser inflates; this file only knows where things lie (PKWARE's APPNOTE, sections 4.3 and 4.5.3).

import { later } from "./say.js";

const END = 0x06054b50;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;
const UNKNOWN = 0xffffffff;

/** The file is no zip, or a damaged one. */
export class ZipError extends Error {
	name = "ZipError";
}

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} method
 * @property {number} packed bytes in the archive
 * @property {number} size bytes when unpacked
 * @property {number} offset of the local header
 */

/** @param {Blob} file @param {number} from @param {number} [to] */
const view = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());

/**
 * @param {Blob} file
 * @returns {Promise<Entry[]>}
 */
export async function entries(file) {
	const { at, size, count } = await directory(file);
	if (at + size > file.size) throw new ZipError(later("the archive is cut short"));
	const bytes = await view(file, at, at + size);
	const list = [];
	for (let p = 0, i = 0; i < count; i++) {
		if (p + 46 > size || bytes.getUint32(p, true) !== ENTRY)
			throw new ZipError(later("the archive's list is damaged"));
		const [nameLength, extraLength, noteLength] = [28, 30, 32].map((o) => bytes.getUint16(p + o, true));
		const name = new TextDecoder().decode(new Uint8Array(bytes.buffer, p + 46, nameLength));
		list.push({
			name,
			method: bytes.getUint16(p + 10, true),
			...sizes(bytes, p, p + 46 + nameLength, extraLength),
		});
		p += 46 + nameLength + extraLength + noteLength;
	}
	return list;
}

/**
 * The sizes and the place of an entry, from its zip64 field where they do not fit.
 * @param {DataView} bytes @param {number} p @param {number} extra @param {number} extraLength
 */
function sizes(bytes, p, extra, extraLength) {
	const found = {
		size: bytes.getUint32(p + 24, true),
		packed: bytes.getUint32(p + 20, true),
		offset: bytes.getUint32(p + 42, true),
	};
	for (let q = extra; q + 4 <= extra + extraLength; q += 4 + bytes.getUint16(q + 2, true)) {
		if (bytes.getUint16(q, true) !== 1) continue;
		let at = q + 4;
		for (const key of /** @type {const} */ (["size", "packed", "offset"])) {
			if (found[key] !== UNKNOWN) continue;
			found[key] = Number(bytes.getBigUint64(at, true));
			at += 8;
		}
	}
	return found;
}

/** Where the archive's directory lies. @param {Blob} file */
async function directory(file) {
	const from = Math.max(0, file.size - 22 - 0xffff);
	const tail = await view(file, from);
	let p = tail.byteLength - 22;
	while (p >= 0 && tail.getUint32(p, true) !== END) p--;
	if (p < 0) throw new ZipError(later("the file is no zip archive"));
	const found = {
		count: tail.getUint16(p + 10, true),
		size: tail.getUint32(p + 12, true),
		at: tail.getUint32(p + 16, true),
	};
	if (p < 20 || tail.getUint32(p - 20, true) !== END64_LOCATOR) return found;
	const end = await view(file, Number(tail.getBigUint64(p - 12, true)), file.size);
	if (end.byteLength < 56 || end.getUint32(0, true) !== END64)
		throw new ZipError(later("the archive's end is damaged"));
	return {
		count: Number(end.getBigUint64(32, true)),
		size: Number(end.getBigUint64(40, true)),
		at: Number(end.getBigUint64(48, true)),
	};
}

/**
 * @param {Blob} file
 * @param {Entry} entry
 * @returns {Promise<ReadableStream<Uint8Array>>} the entry's content
 */
export async function open(file, { offset, packed, method }) {
	const head = await view(file, offset, offset + 30);
	if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL)
		throw new ZipError(later("an entry is damaged"));
	const from = offset + 30 + head.getUint16(26, true) + head.getUint16(28, true);
	const content = file.slice(from, from + packed);
	if (content.size !== packed) throw new ZipError(later("the archive is cut short"));
	if (method === STORED) return content.stream();
	if (method === DEFLATED) return content.stream().pipeThrough(new DecompressionStream("deflate-raw"));
	throw new ZipError(later("the archive is packed in a way that browsers cannot unpack"));
}
