// Channels that lie beside the app, used without copying them first: Kolibri opens their files where they
// are, and a person may have them kept for times without a network. The server does the work by
// Kolibri's own tasks, so it shows in the task manager as well.

const TASKS = "api/tasks/tasks/";
const ASK_EVERY_MS = 300;
const ENDED = new Set(["COMPLETED", "FAILED", "CANCELED"]);

/**
 * @typedef {object} Channel
 * @property {string} id
 * @property {string} name
 * @property {boolean} here in the library
 * @property {number} bytes that lack for use without a network, all of them when it is not here
 *
 * @typedef {object} Part a topic or resource
 * @property {string} id
 * @property {string} title
 * @property {string} channel
 * @property {string} channelName
 * @property {number} bytes that lack
 */

/** What the server refused, with its status. */
export class ChannelError extends Error {
	/** @param {number} status @param {string} text */
	constructor(status, text) {
		super(text);
		this.name = "ChannelError";
		this.status = status;
	}
}

export class Channels {
	/** @param {URL} root @param {import("../worker/client.js").Connection} server */
	constructor(root, server) {
		this.root = root;
		this.server = server;
	}

	/**
	 * @param {string} method
	 * @param {string} path
	 * @param {unknown} [data]
	 */
	async ask(method, path, data) {
		const answer = await this.server.request({
			method,
			url: new URL(path, this.root).href,
			headers: [["Content-Type", "application/json"]],
			body: data === undefined ? null : new TextEncoder().encode(JSON.stringify(data)),
		});
		const text = await new Response(/** @type {BodyInit} */ (answer.body)).text();
		if (answer.status >= 300) throw new ChannelError(answer.status, text);
		return text ? JSON.parse(text) : null;
	}

	/** @returns {Promise<Channel[]>} those beside the app */
	async list() {
		const [beside, here] = await Promise.all([
			this.ask("GET", "api/content/remotechannel/"),
			this.ask("GET", "api/content/channel/"),
		]);
		const known = new Set(here.map((/** @type {any} */ channel) => channel.id));
		return Promise.all(
			beside.map(async (/** @type {any} */ { id, name, total_file_size }) => ({
				id,
				name,
				here: known.has(id),
				bytes: known.has(id) ? await this.lacking(id) : (total_file_size ?? 0),
			})),
		);
	}

	/**
	 * @param {string} hash of Kolibri's page
	 * @returns {Promise<Part | null>} the topic or resource that it shows
	 */
	async shown(hash) {
		const id = /^#\/topics\/[tc]\/([0-9a-f]{32})/.exec(hash)?.[1];
		if (!id) return null;
		const node = await this.ask("GET", `api/content/contentnode/${id}/`).catch(() => null);
		if (!node?.parent) return null; // the channel itself is in the list
		const { title, channel_id: channel } = node;
		const { name: channelName } = await this.ask("GET", `api/content/channel/${channel}/`);
		return { id, title, channel, channelName, bytes: await this.lacking(channel, id) };
	}

	/** @param {string} channel @param {string} [node] @returns {Promise<number>} bytes that a copy would bring */
	async lacking(channel, node) {
		const asked = { channel_id: channel, copy: true, ...(node ? { node_ids: [node] } : {}) };
		return (await this.ask("POST", "device/api/importexportsizeview", asked)).file_size;
	}

	/** @param {Channel} channel @param {(part: number) => void} progress @param {AbortSignal} signal */
	use({ id, name }, progress, signal) {
		const task = { type: "remoteimport", channel_id: id, channel_name: name, copy: false };
		return this.run(task, progress, signal);
	}

	/**
	 * Copies what lacks of a channel or of a part of it.
	 * @param {string} channel @param {string} name @param {string | null} node
	 * @param {(part: number) => void} progress @param {AbortSignal} signal
	 */
	keep(channel, name, node, progress, signal) {
		const task = { type: "remotecontentimport", channel_id: channel, channel_name: name, copy: true };
		return this.run(node ? { ...task, node_ids: [node] } : task, progress, signal);
	}

	/**
	 * @param {{type: string, [argument: string]: unknown}} task
	 * @param {(part: number) => void} progress 0 to 1
	 * @param {AbortSignal} signal
	 */
	async run(task, progress, signal) {
		const { id } = await this.ask("POST", TASKS, {
			...task,
			type: `kolibri.core.content.tasks.${task.type}`,
		});
		signal.addEventListener("abort", () => this.ask("POST", `${TASKS}${id}/cancel/`, {}).catch(() => {}));
		for (;;) {
			const { status, percentage, exception } = await this.ask("GET", `${TASKS}${id}/`);
			progress(percentage ?? 0);
			if (status === "FAILED") throw new ChannelError(0, exception);
			if (ENDED.has(status)) return this.ask("POST", `${TASKS}${id}/clear/`, {}).catch(() => {});
			await new Promise((go) => setTimeout(go, ASK_EVERY_MS));
		}
	}
}
