// The way to servers that do not allow other sites' pages to read from them: through the gateway of the
// relay that shares this Kolibri, for the hosts that it names (docs/relay.md). The sharing tab tells of
// it; it need not be the one whose worker leads.

import { scoped } from "./protocol.js";

/** @typedef {{relay: string, session: string, hosts: string[]}} Gateway */

/**
 * @param {URL} root
 * @returns {(url: string) => {url: string, session: string} | null} where to ask instead
 */
export function followGateway(root) {
	/** @type {Gateway | null} */
	let gateway = null;
	const news = new BroadcastChannel(scoped(root, "gateway"));
	news.onmessage = ({ data }) => {
		if (data.t === "gateway") gateway = data.gateway;
	};
	news.postMessage({ t: "ask" });
	return (url) => gateway && through(gateway, new URL(url), root);
}

/**
 * @param {Gateway} gateway
 * @param {URL} url
 * @param {URL} root this page's own origin needs no gateway
 */
export function through({ relay, session, hosts }, url, root) {
	const { protocol, host, pathname, search } = url;
	if (url.origin === root.origin || url.origin === relay || !hosts.includes(host)) return null;
	return { url: `${relay}/_relay/gateway/${protocol.slice(0, -1)}/${host}${pathname}${search}`, session };
}
