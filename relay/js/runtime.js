// The runtime's page: joins the relay that it came from and runs the apps that are deployed there.

import { App } from "./app.js";
import { Link } from "./link.js";

/** @typedef {import("./app.js").Wish} Wish */

const byId = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const base = new URL("/_relay/", location.href);
const here = new URL(location.href);

/** @type {Map<string, App>} */
let apps = new Map();
/** @type {Promise<string> | null} */
let harness = null;
let session = "";

/** @param {string} path @param {RequestInit} [init] */
async function ask(path, init = {}) {
	const headers = { ...init.headers, "X-Relay-Session": session };
	return fetch(new URL(path, base), { ...init, headers, credentials: "omit" });
}

/** @param {{apps: Record<string, number>}} news */
function follow(news) {
	const next = new Map();
	for (const [name, version] of Object.entries(news.apps ?? {})) {
		const old = apps.get(name);
		next.set(name, old?.version === version ? old : makeApp(name, version));
	}
	for (const [name, old] of apps) if (next.get(name) !== old) old.leave();
	apps = next;
	const line = (/** @type {App} */ { name, version }) => {
		const item = document.createElement("li");
		item.textContent = `${name}, version ${version}`;
		return item;
	};
	byId("apps").replaceChildren(...[...apps.values()].map(line));
}

/** @param {string} name @param {number} version */
function makeApp(name, version) {
	const load = async () => {
		harness ??= fetch(new URL("sandbox.js", import.meta.url)).then((answer) => answer.text());
		const answer = await ask(`apps/${name}/${version}`);
		if (!answer.ok) throw new Error("the app's code could not be had");
		return { code: (await answer.json()).code, harness: await harness };
	};
	return new App({ name, version, load, store: (wish) => store(name, wish) });
}

/** An app's name is this page's word, not the app's. @param {string} app @param {Wish} wish */
async function store(app, { op, key, value, version, ttl, prefix, after, limit }) {
	const query = new URLSearchParams();
	const given = Object.entries({ key, ttl, prefix, after, limit });
	for (const [name, v] of given) if (v !== undefined) query.set(name, String(v));
	/** @type {Record<string, string>} */
	const headers = {};
	if (version === 0) headers["If-None-Match"] = "*";
	else if (version !== undefined) headers["If-Match"] = `"${Number(version)}"`;
	const path = op === "list" ? `kv/${app}?${query}` : `kv/${app}/value?${query}`;
	const methods = { get: "GET", list: "GET", put: "PUT", delete: "DELETE" };
	const body = op === "put" ? value : undefined;
	const answer = await ask(path, { method: methods[op], headers, body });
	const expires = answer.headers.get("Expires");
	const its = {
		version: Number(answer.headers.get("ETag")?.replaceAll('"', "")),
		expires: expires ? Date.parse(expires) : null,
	};
	if (answer.status === 404 && op !== "put") return op === "delete" ? false : null;
	if (!answer.ok) {
		const { error } = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
		throw Object.assign(new Error(error), { name: answer.status === 412 ? "Conflict" : "StoreError" });
	}
	if (op === "list") return answer.json();
	if (op === "get") return { key, value: new Uint8Array(await answer.arrayBuffer()), ...its };
	return op === "put" ? its.version : true;
}

/** @param {import("./stream.js").Asked} asked */
async function serve(asked) {
	const app = apps.get(asked.app ?? "");
	if (!app) throw new Error("there is no such app here");
	return app.serve(asked);
}

/** @param {string} code */
function run(code) {
	byId("form").hidden = true;
	const link = new Link({
		relay: location.origin,
		code,
		known: JSON.parse(sessionStorage.getItem("kolibri-runtime") ?? "null") ?? undefined,
		about: { kind: "runtime", name: "runtime" },
		serve,
		onApps: follow,
		onState: (state) => {
			if (state.state === "sharing") {
				session = `${state.admission.session}.${state.key}`;
				const known = { session: state.admission.session, key: state.key };
				sessionStorage.setItem("kolibri-runtime", JSON.stringify(known));
			}
			if (state.state === "ended") {
				sessionStorage.removeItem("kolibri-runtime");
				byId("form").hidden = false;
			}
			byId("state").textContent = {
				connecting: "Connecting…",
				sharing: "Connected: apps run here.",
				waiting: "The connection is interrupted; it is tried again and again.",
				ended: `Not connected${"message" in state && state.message ? `: ${state.message}` : ""}.`,
			}[state.state];
		},
	});
	link.start();
}

const code = here.searchParams.get("code");
if (code !== null) {
	here.searchParams.delete("code");
	history.replaceState(null, "", here);
}
if (code !== null || sessionStorage.getItem("kolibri-runtime")) run(code ?? "");
else {
	byId("form").hidden = false;
	byId("state").textContent = "Enter the code that the relay shows.";
}
byId("form").addEventListener("submit", (/** @type {Event} */ event) => {
	event.preventDefault();
	run(byId("code").value);
});
