// Makes archives for tests, also such as no program would make.
import { deflateRawSync } from "node:zlib";

/**
 * @param {Record<string, string | Uint8Array>} files
 * @param {{size?: number}} [lies] what the archive says of each file's size
 */
export function archive(files, lies = {}) {
	const parts = [];
	const list = [];
	let at = 0;
	for (const [name, content] of Object.entries(files)) {
		const raw = Buffer.from(content);
		const packed = deflateRawSync(raw);
		const head = Buffer.alloc(30);
		head.writeUInt32LE(0x04034b50, 0);
		head.writeUInt16LE(20, 4);
		head.writeUInt16LE(0x800, 6);
		head.writeUInt16LE(8, 8);
		head.writeUInt32LE(crc(raw), 14);
		head.writeUInt32LE(packed.length, 18);
		head.writeUInt32LE(lies.size ?? raw.length, 22);
		head.writeUInt16LE(Buffer.byteLength(name), 26);
		const entry = Buffer.alloc(46);
		entry.writeUInt32LE(0x02014b50, 0);
		entry.writeUInt16LE(20, 4);
		head.copy(entry, 6, 4, 30);
		entry.writeUInt32LE(at, 42);
		parts.push(head, Buffer.from(name), packed);
		list.push(entry, Buffer.from(name));
		at += 30 + Buffer.byteLength(name) + packed.length;
	}
	const directory = Buffer.concat(list);
	const end = Buffer.alloc(22);
	end.writeUInt32LE(0x06054b50, 0);
	end.writeUInt16LE(Object.keys(files).length, 8);
	end.writeUInt16LE(Object.keys(files).length, 10);
	end.writeUInt32LE(directory.length, 12);
	end.writeUInt32LE(at, 16);
	return new Blob([Buffer.concat([...parts, directory, end])]);
}

/** @param {Uint8Array} bytes */
function crc(bytes) {
	let c = ~0;
	for (const byte of bytes) {
		c ^= byte;
		for (let k = 0; k < 8; k++) c = (c >>> 1) ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c >>> 0;
}
