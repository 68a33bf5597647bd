// A static host for channels and builds, as a content source must be: HTTP/1.1 that keeps connections,
// HEAD and Range. `node bench/content/mirror.mjs PORT FOLDER...`: the first folder that has a file gives it.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const TYPES = /** @type {Record<string, string>} */ ({
	".html": "text/html",
	".js": "text/javascript",
	".css": "text/css",
	".json": "application/json",
	".wasm": "application/wasm",
	".svg": "image/svg+xml",
	".png": "image/png",
	".woff2": "font/woff2",
	".webmanifest": "application/manifest+json",
});

const [port, ...folders] = process.argv.slice(2);

/** @param {string} at @returns {{file: string, size: number} | null} */
function find(at) {
	for (const folder of folders) {
		for (const name of [at, path.join(at, "index.html")]) {
			const file = path.join(folder, name);
			const stat = fs.statSync(file, { throwIfNoEntry: false });
			if (stat?.isFile()) return { file, size: stat.size };
		}
	}
	return null;
}

http
	.createServer((request, response) => {
		const at = path.normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname));
		const found = find(at);
		if (!found) {
			response.writeHead(404, { "Content-Length": 0 }).end();
			return;
		}
		const type =
			at.startsWith("/api/") && !at.endsWith(".html")
				? "application/json"
				: (TYPES[path.extname(found.file)] ?? "application/octet-stream");
		const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
		const start = range ? Number(range[1]) : 0;
		const end = Math.min(range?.[2] ? Number(range[2]) : found.size - 1, found.size - 1);
		if (start > end && found.size) {
			response.writeHead(416, { "Content-Range": `bytes */${found.size}`, "Content-Length": 0 }).end();
			return;
		}
		response.writeHead(range ? 206 : 200, {
			"Content-Type": type,
			"Content-Length": end - start + 1,
			"Accept-Ranges": "bytes",
			"Cache-Control": "no-cache",
			...(range ? { "Content-Range": `bytes ${start}-${end}/${found.size}` } : {}),
		});
		if (request.method === "HEAD" || !found.size) response.end();
		else if (end - start < 1 << 16 && !range) response.end(fs.readFileSync(found.file));
		else fs.createReadStream(found.file, { start, end }).pipe(response);
	})
	.listen(Number(port), "127.0.0.1");
