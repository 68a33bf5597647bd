// The cookies of the server. Browsers ignore Set-Cookie in answers that a worker made up, so the
// server's side of the bridge keeps them as a browser would, for the one origin and folder that it
// serves. Cookies that page scripts may see are told to the pages, which put them in
// document.cookie (shim/cookies.js).

/**
 * @typedef {object} Cookie
 * @property {string} value
 * @property {number | null} expires milliseconds since 1970, null for a session cookie
 * @property {boolean} hidden HttpOnly
 * @property {string} path
 */

/** A renewed expiry is worth writing down only when it moved by this much. */
const EXPIRY_STEP = 24 * 3600 * 1000;

export class CookieJar {
	/** @param {() => number} [now] milliseconds since 1970 */
	constructor(now = Date.now) {
		this.now = now;
		/** @type {Map<string, Cookie>} */
		this.cookies = new Map();
		/** @type {Set<string>} names of visible cookies that pages must forget */
		this.gone = new Set();
	}

	/**
	 * Takes up one Set-Cookie header.
	 * @param {string} header
	 * @returns {{name: string, visible: boolean, changed: boolean} | null} null for what is no
	 *     cookie; `changed` when it is worth saving
	 */
	set(header) {
		const [pair, ...attributes] = header.split(";");
		const at = pair.indexOf("=");
		if (at < 1) return null;
		const name = pair.slice(0, at).trim();
		const cookie = { value: pair.slice(at + 1).trim(), expires: null, hidden: false, path: "/" };
		readAttributes(cookie, attributes, this.now());
		const old = this.cookies.get(name);
		const visible = !cookie.hidden;
		if (cookie.expires !== null && cookie.expires <= this.now()) {
			this.cookies.delete(name);
			if (visible || (old && !old.hidden)) this.gone.add(name);
			return { name, visible, changed: old !== undefined };
		}
		this.cookies.set(name, cookie);
		this.gone.delete(name);
		return { name, visible, changed: !old || differs(old, cookie) };
	}

	/**
	 * The Cookie header for a request.
	 * @param {string} path
	 * @returns {string} empty when there are no cookies
	 */
	header(path) {
		this.expire();
		return [...this.cookies]
			.filter(([, cookie]) => matches(cookie.path, path))
			.map(([name, cookie]) => `${name}=${cookie.value}`)
			.join("; ");
	}

	/** @param {string} name @returns {string | undefined} */
	get(name) {
		this.expire();
		return this.cookies.get(name)?.value;
	}

	/**
	 * What pages shall write into document.cookie.
	 * @param {string} path where the app lies: its cookies are not for its neighbours
	 * @param {string[]} [names] only these; default all, and all that are to be forgotten
	 * @returns {string[]}
	 */
	visible(path, names) {
		this.expire();
		const lines = [];
		for (const name of names ?? [...this.cookies.keys(), ...this.gone]) {
			const cookie = this.cookies.get(name);
			if (cookie?.hidden) continue;
			const age = cookie ? cookie.expires && Math.round((cookie.expires - this.now()) / 1000) : 0;
			const lives = age === null ? "" : `; Max-Age=${age}`;
			lines.push(`${name}=${cookie?.value ?? ""}; Path=${path}; SameSite=Lax${lives}`);
		}
		return lines;
	}

	expire() {
		for (const [name, cookie] of this.cookies) {
			if (cookie.expires !== null && cookie.expires <= this.now()) {
				this.cookies.delete(name);
				if (!cookie.hidden) this.gone.add(name);
			}
		}
	}

	/** @returns {{cookies: [string, Cookie][], gone: string[]}} what `load` takes */
	dump() {
		return { cookies: [...this.cookies], gone: [...this.gone] };
	}

	/** @param {ReturnType<CookieJar["dump"]> | undefined} saved */
	load(saved) {
		this.cookies = new Map(saved?.cookies ?? []);
		this.gone = new Set(saved?.gone ?? []);
	}
}

/** @param {Cookie} cookie @param {string[]} attributes @param {number} now */
function readAttributes(cookie, attributes, now) {
	let maxAge = null;
	for (const attribute of attributes) {
		const at = attribute.indexOf("=");
		const name = (at < 0 ? attribute : attribute.slice(0, at)).trim().toLowerCase();
		const value = at < 0 ? "" : attribute.slice(at + 1).trim();
		if (name === "httponly") cookie.hidden = true;
		else if (name === "path" && value.startsWith("/")) cookie.path = value;
		else if (name === "max-age" && /^-?\d+$/.test(value)) maxAge = Number(value);
		else if (name === "expires" && !Number.isNaN(Date.parse(value))) cookie.expires = Date.parse(value);
	}
	// RFC 6265, 5.3: Max-Age wins over Expires.
	if (maxAge !== null) cookie.expires = now + maxAge * 1000;
}

/** @param {Cookie} a @param {Cookie} b */
function differs(a, b) {
	if (a.value !== b.value || a.hidden !== b.hidden || a.path !== b.path) return true;
	if (a.expires === null || b.expires === null) return a.expires !== b.expires;
	return Math.abs(a.expires - b.expires) > EXPIRY_STEP;
}

/** @param {string} cookiePath @param {string} path */
function matches(cookiePath, path) {
	if (!path.startsWith(cookiePath)) return false;
	return cookiePath.endsWith("/") || path.length === cookiePath.length || path[cookiePath.length] === "/";
}
