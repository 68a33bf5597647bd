// Replaces the transport of Kolibri's HTTP client. Kolibri's core bundle holds Axios once; every
// client is made of it. A chunk that waits in webpack's array before the core script runs is given
// the require function first of all, so the adapter is in place before any client exists.
//
// Axios is found by its shape, because module numbers change with every release of Kolibri. A
// wheel in which the shape is gone fails the build's tests, and here on the console.

import { makeAdapter } from "./adapter.js";

const CHUNKS = "webpackChunkwebpack__kolibricore.default_frontend";
const MARK = 'xsrfCookieName:"XSRF-TOKEN"';

/**
 * @param {Pick<import("../worker/client.js").Connection, "request">} server
 * @param {URL} root
 */
export function installAdapter(server, root) {
	/** @type {any} */
	const page = self;
	page[CHUNKS] ||= [];
	page[CHUNKS].push([
		["shim"],
		{},
		(/** @type {any} */ require) => {
			const axios = findAxios(require);
			if (axios) axios.defaults.adapter = makeAdapter(axios, server, root);
			else console.error("kolibri shim: Axios was not found in the core bundle; requests take the slow way");
		},
	]);
}

/**
 * @param {{m: Record<string, Function>, (id: string): any}} require webpack's
 * @returns {any} null when there is nothing of Axios' shape
 */
export function findAxios(require) {
	for (const [id, source] of Object.entries(require.m)) {
		if (!Function.prototype.toString.call(source).includes(MARK)) continue;
		const exported = require(id);
		const candidates = [exported, ...Object.values(exported ?? {})];
		const found = candidates.find(isAxios);
		if (found) return found;
	}
	return null;
}

/** @param {any} value */
const isAxios = (value) =>
	typeof value === "function" &&
	typeof value.create === "function" &&
	typeof value.defaults === "object" &&
	typeof value.interceptors === "object";
