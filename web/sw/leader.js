// How the service worker finds the tab whose worker is the server. It is stopped whenever it is
// idle and remembers nothing, so it asks all tabs; the one that leads says so.

const ASK_EVERY_MS = 300;

/** @type {any} */
const worker = self;

/** @type {string | null} id of the leading tab's client */
let leaderId = null;
/** @type {Set<() => void>} */
const waiting = new Set();

/** @param {string} id */
export function noteLeader(id) {
	leaderId = id;
	for (const go of waiting) go();
	waiting.clear();
}

/** @param {string} id a tab that was taken for the leader and is not */
export function forgetLeader(id) {
	if (leaderId === id) leaderId = null;
}

/**
 * Hands a port to the server, as soon as there is one.
 * @param {MessagePort} port
 */
export async function deliver(port) {
	(await findLeader()).postMessage({ t: "port" }, [port]);
}

async function findLeader() {
	for (;;) {
		const client = leaderId && (await worker.clients.get(leaderId));
		if (client) return client;
		leaderId = null;
		for (const tab of await tabs()) tab.postMessage({ t: "who leads" });
		await new Promise((go) => {
			waiting.add(() => go(undefined));
			setTimeout(go, ASK_EVERY_MS);
		});
	}
}

/** @returns {Promise<any[]>} all windows, the shell's and Kolibri's pages */
export const tabs = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true });
