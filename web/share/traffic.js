// Who uses this Kolibri from outside, and how much flows.

/**
 * @typedef {object} Visitor
 * @property {string} address
 * @property {string} device what the browser calls itself, shortened
 * @property {number} requests
 * @property {number} open
 * @property {number} bytes
 * @property {number} seen milliseconds since 1970
 *
 * @typedef {{visitors: Visitor[], requests: number, open: number, bytesIn: number, bytesOut: number}} Report
 */

/** Who has been silent for so long is no longer connected. */
const GONE_MS = 60_000;
const MAX_VISITORS = 500;

export class Traffic {
	/** @param {() => number} [now] */
	constructor(now = Date.now) {
		this.now = now;
		/** @type {Map<string, Visitor>} */
		this.visitors = new Map();
		this.requests = this.open = this.bytesIn = this.bytesOut = 0;
		this.changed = false;
	}

	/** @param {import("../../relay/js/stream.js").Asked} asked */
	begin({ from, headers }) {
		this.changed = true;
		this.requests++;
		this.open++;
		const address = hostOf(from);
		let visitor = this.visitors.get(address);
		if (!visitor) {
			if (this.visitors.size >= MAX_VISITORS) this.forget();
			visitor = { address, device: "", requests: 0, open: 0, bytes: 0, seen: 0 };
			this.visitors.set(address, visitor);
		}
		visitor.requests++;
		visitor.open++;
		visitor.seen = this.now();
		const agent = headers.find(([name]) => name.toLowerCase() === "user-agent")?.[1];
		if (agent) visitor.device = deviceOf(agent);
	}

	/** @param {{bytesIn: number, bytesOut: number}} stream @param {{from: string}} asked */
	end({ bytesIn, bytesOut }, { from }) {
		this.changed = true;
		this.open--;
		this.bytesIn += bytesIn;
		this.bytesOut += bytesOut;
		const visitor = this.visitors.get(hostOf(from));
		if (!visitor) return;
		visitor.open--;
		visitor.bytes += bytesIn + bytesOut;
		visitor.seen = this.now();
	}

	forget() {
		const limit = this.now() - GONE_MS;
		for (const [address, { open, seen }] of this.visitors) {
			if (open === 0 && seen < limit) this.visitors.delete(address);
		}
		const [oldest] = this.visitors.keys();
		if (this.visitors.size >= MAX_VISITORS) this.visitors.delete(oldest);
	}

	/** @returns {Report} */
	report() {
		this.forget();
		const { requests, open, bytesIn, bytesOut } = this;
		// the next report tells who has gone meanwhile
		this.changed = this.visitors.size > 0;
		const visitors = [...this.visitors.values()].toSorted((a, b) => b.seen - a.seen);
		return { visitors: visitors.map((v) => ({ ...v })), requests, open, bytesIn, bytesOut };
	}
}

/** The address without the port. @param {string} from */
const hostOf = (from) => from.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");

/** @param {string} agent a User-Agent header */
function deviceOf(agent) {
	const system = /Android|iPhone|iPad|CrOS|Windows|Mac OS X|Linux/.exec(agent)?.[0];
	const browser = /(?:Firefox|Edg|OPR|Chrome|Safari)(?=\/)/.exec(agent)?.[0];
	const names = /** @type {Record<string, string>} */ ({
		CrOS: "Chromebook",
		"Mac OS X": "Mac",
		Edg: "Edge",
		OPR: "Opera",
	});
	const known = [browser, system].filter(Boolean).map((name) => names[/** @type {string} */ (name)] ?? name);
	return known.length ? known.join(", ") : agent.slice(0, 40);
}
