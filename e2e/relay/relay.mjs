// A relay that runs as a program of its own, and a client that shares nothing with a browser.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { until } from "../lib/browser.mjs";
import { freePort } from "../lib/site.mjs";

export const COMMAND = path.resolve(process.env.KOLIBRI_NATIVE ?? "bin/kolibri");

export class Relay {
	/** @param {string[]} [args] */
	constructor(...args) {
		this.args = args;
		this.home = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-relay-"));
		this.output = "";
		/** @type {number | undefined} the first start's, for all */
		this.port = undefined;
	}

	async start() {
		this.port ??= await freePort();
		const args = ["relay", "--debug", "--listen", `127.0.0.1:${this.port}`, ...this.args];
		this.process = spawn(COMMAND, args, { env: { ...process.env, KOLIBRI_HOME: this.home } });
		for (const stream of [this.process.stdout, this.process.stderr]) {
			stream.on("data", (text) => {
				this.output += text;
			});
		}
		await until(async () => (await this.get("_relay/status")).status === 200, "the relay").catch((error) => {
			throw new Error(`${error.message}\n${this.output}`);
		});
		return this;
	}

	get url() {
		return `http://127.0.0.1:${this.port}/`;
	}

	/** The code that was printed last. */
	get code() {
		return [...this.output.matchAll(/Pairing code: (\S+)/g)].at(-1)?.[1] ?? "";
	}

	/** What makes a tab join. */
	get invitation() {
		return `?relay=${encodeURIComponent(this.url)}&code=${this.code}`;
	}

	async tabs(kind = "kolibri") {
		return JSON.parse((await this.get("_relay/status")).text).tabs[kind];
	}

	/** @param {number} n */
	joined(n, kind = "kolibri") {
		return until(async () => (await this.tabs(kind)) === n, `${n} tabs of kind ${kind}`);
	}

	/** @param {string} at @param {http.OutgoingHttpHeaders} [headers] */
	get(at, headers = {}) {
		return send(this.url + at, { headers });
	}

	/** @param {NodeJS.Signals} [signal] */
	async stop(signal = "SIGTERM") {
		const child = this.process;
		if (!child || child.exitCode !== null || child.signalCode) return;
		const ended = new Promise((go) => child.once("exit", go));
		child.kill(signal);
		await ended;
	}

	async remove() {
		await this.stop("SIGKILL");
		fs.rmSync(this.home, { recursive: true, force: true });
	}
}

/**
 * @param {string} url
 * @param {{method?: string, headers?: http.OutgoingHttpHeaders, body?: string | Buffer}} [options]
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, text: string, bytes: Buffer}>}
 */
export function send(url, { method = "GET", headers = {}, body } = {}) {
	return new Promise((resolve, reject) => {
		const request = http.request(url, { method, headers, agent: false }, (response) => {
			/** @type {Buffer[]} */
			const parts = [];
			response.on("data", (part) => parts.push(part));
			response.on("error", reject);
			response.on("end", () => {
				const bytes = Buffer.concat(parts);
				resolve({
					status: response.statusCode ?? 0,
					headers: response.headers,
					text: bytes.toString(),
					bytes,
				});
			});
		});
		request.on("error", reject);
		request.end(body);
	});
}
