// "Share this Kolibri": others use the Kolibri of this tab through a relay. This is the shell's side:
// it asks the person, keeps what was agreed for as long as the tab lives, and knows how it goes.

import { scoped } from "../../worker/protocol.js";
import { askConsent } from "./consent.js";

/** @typedef {import("../../relay/js/link.js").LinkState} LinkState */
/** @typedef {{relay: string, code: string, agreed?: boolean, known?: {session: string, key: string}}} Pairing `agreed`: by the person */

export class Share extends EventTarget {
	/**
	 * @param {object} options
	 * @param {URL} options.root
	 * @param {import("../build.js").Build} options.build
	 * @param {(port: MessagePort) => void} options.deliver hands a port to the server
	 * @param {() => Promise<void>} options.ready resolves when the server answers
	 */
	constructor({ root, build, deliver, ready }) {
		super();
		this.root = root;
		this.build = build;
		this.deliver = deliver;
		this.ready = ready;
		this.key = scoped(root, "share");
		/** @type {Worker | null} */
		this.worker = null;
		/** @type {LinkState | null} null when nothing was shared yet */
		this.state = null;
		/** @type {Pairing | null} */
		this.pairing = null;
		/** @type {import("./traffic.js").Report | null} */
		this.traffic = null;
		// the server asks other hosts through the relay's gateway (worker/gateway.js)
		this.news = new BroadcastChannel(scoped(root, "gateway"));
		this.news.onmessage = ({ data }) => {
			if (data.t === "ask" && this.state?.state === "sharing") this.tellGateway();
		};
	}

	tellGateway() {
		const { state, pairing } = this;
		const { session = "", hosts = [] } = state?.state === "sharing" ? state.admission : {};
		const gateway = hosts.length
			? { relay: pairing?.relay, session: `${session}.${pairing?.known?.key}`, hosts }
			: null;
		this.news.postMessage({ t: "gateway", gateway });
	}

	/** Whether this tab takes part, or tries to. */
	get active() {
		return this.state !== null && this.state.state !== "ended";
	}

	/**
	 * Takes `?relay=...&code=...` out of the address. The person is asked first; where there is none, in
	 * a headless browser, the address alone decides. A tab that was sharing before a reload goes on.
	 */
	async open() {
		const here = new URL(location.href);
		const relay = here.searchParams.get("relay");
		const code = here.searchParams.get("code") ?? "";
		if (relay !== null) {
			here.searchParams.delete("relay");
			here.searchParams.delete("code");
			history.replaceState(history.state, "", here);
			const address = relayAddress(relay);
			if (!address) {
				this.change({ state: "ended", code: 0, message: `“${relay}” is not the address of a relay` });
				return;
			}
			this.keep({ relay: address, code, agreed: isHeadless() });
		}
		// from here on the invitation outlives a reload, which the service worker may ask for at any time
		const kept = this.kept();
		if (!kept) return;
		if (!kept.agreed && !(await askConsent(kept.relay))) {
			sessionStorage.removeItem(this.key);
			return;
		}
		await this.start(kept);
	}

	/** @param {Pairing} wanted */
	async start(wanted) {
		this.stopWorker();
		const pairing = { ...wanted, agreed: true };
		this.pairing = pairing;
		this.traffic = null;
		this.keep(pairing);
		this.change({ state: "connecting" });
		await this.ready();
		if (this.pairing !== pairing) return;
		const worker = new Worker(new URL(this.build.share, this.root));
		this.worker = worker;
		worker.onmessage = ({ data, ports }) => this.receive(worker, data, ports);
		worker.onerror = (event) => {
			event.preventDefault();
			this.change({ state: "ended", code: 0, message: event.message || "sharing failed" });
		};
		worker.postMessage({ t: "start", ...pairing });
	}

	/** @param {Worker} worker @param {import("./worker.js").FromShare} data @param {readonly MessagePort[]} ports */
	receive(worker, data, ports) {
		if (worker !== this.worker) return;
		if (data.t === "port") this.deliver(ports[0]);
		else if (data.t === "traffic") {
			this.traffic = data.traffic;
			this.dispatchEvent(new Event("traffic"));
		} else this.change(data.state);
	}

	/** @param {LinkState} state */
	change(state) {
		this.state = state;
		if (state.state === "sharing" && this.pairing) {
			this.pairing.known = { session: state.admission.session, key: state.key };
			this.keep(this.pairing);
			this.tellGateway();
		}
		if (state.state === "ended") {
			sessionStorage.removeItem(this.key);
			this.tellGateway();
			this.stopWorker();
		}
		this.dispatchEvent(new Event("change"));
	}

	/** @param {Pairing} pairing */
	keep(pairing) {
		sessionStorage.setItem(this.key, JSON.stringify(pairing));
	}

	/** @returns {Pairing | null} */
	kept() {
		try {
			return JSON.parse(sessionStorage.getItem(this.key) ?? "null");
		} catch {
			return null;
		}
	}

	/** One press ends it: no request is answered from then on. */
	stop() {
		const { worker } = this;
		worker?.postMessage({ t: "stop" });
		this.worker = null;
		this.pairing = null;
		// the worker says goodbye to the relay before it goes
		setTimeout(() => worker?.terminate(), 1000);
		this.change({ state: "ended", code: 0, message: "" });
	}

	stopWorker() {
		this.worker?.terminate();
		this.worker = null;
	}
}

/**
 * @param {string} text as typed or as in a link
 * @returns {string | null} origin of a relay
 */
export function relayAddress(text) {
	try {
		const url = new URL(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
		if (!/^https?:$/.test(url.protocol) || url.username || url.password) return null;
		return url.origin;
	} catch {
		return null;
	}
}

/** Nobody sits in front of this browser. */
const isHeadless = () => /\bHeadlessChrome\//.test(navigator.userAgent);
