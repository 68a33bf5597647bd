// Answers kept as a browser's HTTP cache keeps them, which the server's own answers never meet: one that
// has a tag is asked for with it the next time, and the server says that it still holds (304) without
// computing it. Nothing is taken from here unasked, however long its Cache-Control would allow it. It lives
// in this worker's memory, so it is gone when the data is replaced or another tab takes over.

/** @typedef {import("./protocol.js").HeaderList} HeaderList */

/**
 * @typedef {object} Kept
 * @property {string} tag with its quotes
 * @property {HeaderList} headers
 * @property {Uint8Array} body
 */

/** Request headers by which a client does what this would do, or does not want it. */
const OWN = new Set([
	"if-none-match",
	"if-match",
	"if-modified-since",
	"if-unmodified-since",
	"if-range",
	"range",
	"cache-control",
	"pragma",
]);

export class Answers {
	/** @param {number} [room] bytes of all bodies together */
	constructor(room = 8 << 20) {
		this.room = room;
		this.used = 0;
		/** @type {Map<string, Kept>} the one asked for last stands last */
		this.kept = new Map();
	}

	/**
	 * What a request's answer is kept by: all that the server sees of the request, so that it is never
	 * given to another person or in another language, whatever Vary says.
	 * @param {{method: string, url: string, headers: HeaderList, from?: string, body?: Uint8Array, streams?: boolean}} request
	 * @param {string} sent the headers as they go to the server, cookies included
	 * @returns {string | null} null for what is not kept
	 */
	keyOf({ method, url, headers, from, body, streams }, sent) {
		if (method !== "GET" || from || body || streams) return null;
		if (headers.some(([name]) => OWN.has(name.toLowerCase()))) return null;
		return `${url}\n${sent}`;
	}

	/** @param {string | null} key @returns {Kept | null} */
	find(key) {
		const kept = key !== null && this.kept.get(key);
		if (!kept) return null;
		this.drop(/** @type {string} */ (key), kept);
		this.put(/** @type {string} */ (key), kept);
		return kept;
	}

	/**
	 * Takes an answer up, in place of an older one.
	 * @param {string | null} key @param {number} status @param {HeaderList} headers @param {Uint8Array | null} body
	 */
	keep(key, status, headers, body) {
		if (key === null || status === 304) return;
		const old = this.kept.get(key);
		if (old) this.drop(key, old);
		if (status !== 200 || !body || body.length > this.room / 8) return;
		const all = (/** @type {string} */ wanted) =>
			headers.filter(([name]) => name.toLowerCase() === wanted).map(([, value]) => value);
		const [tag] = all("etag");
		if (
			!tag ||
			all("vary").some((v) => v.includes("*")) ||
			all("cache-control").some((v) => /no-store/i.test(v))
		)
			return;
		this.put(key, { tag, headers, body: body.slice() });
		for (const [oldest, kept] of this.kept) {
			if (this.used <= this.room) break;
			this.drop(oldest, kept);
		}
	}

	/** Forgets everything, as when somebody signs in or out. */
	clear() {
		this.kept.clear();
		this.used = 0;
	}

	/** @param {string} key @param {Kept} kept */
	put(key, kept) {
		this.kept.set(key, kept);
		this.used += kept.body.length;
	}

	/** @param {string} key @param {Kept} kept */
	drop(key, kept) {
		this.kept.delete(key);
		this.used -= kept.body.length;
	}
}

/**
 * A kept answer, confirmed by the server.
 * @param {Kept} kept @param {HeaderList} news the 304's headers, which replace those of the same names
 * @returns {{status: 200, headers: HeaderList, body: Uint8Array}}
 */
export function confirmed(kept, news) {
	const renewed = new Set(news.map(([name]) => name.toLowerCase()));
	const headers = kept.headers.filter(([name]) => !renewed.has(name.toLowerCase()));
	return { status: 200, headers: [...headers, ...news], body: kept.body.slice() };
}
