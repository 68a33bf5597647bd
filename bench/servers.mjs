// The servers that are compared, started one beside the other: a real Kolibri and the native command.
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { freePort } from "../e2e/lib/site.mjs";

const wait = (/** @type {number} */ ms) => new Promise((go) => setTimeout(go, ms));

/** A server on a home of its own. */
export class Native {
	/** @param {string} name @param {string} command */
	constructor(name, command) {
		this.name = name;
		this.command = command;
		/** @type {Record<string, string | undefined>} */
		this.env = {}; // further options
		this.home = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-bench-"));
		/** @type {number | undefined} the first start's, for all */
		this.port = undefined;
		/** @type {number | undefined} */
		this.zipPort = undefined;
	}

	/** Starts it and returns after how many milliseconds it first answered. */
	async start() {
		this.port ??= await freePort();
		this.zipPort ??= await freePort();
		const env = Object.fromEntries(
			Object.entries(process.env).filter(([name]) => !name.startsWith("KOLIBRI_")),
		);
		const begin = performance.now();
		this.process = spawn(this.command, ["start", "--foreground", "--port", String(this.port)], {
			env: {
				...env,
				KOLIBRI_HOME: this.home,
				KOLIBRI_RUN_MODE: "dev",
				KOLIBRI_DISABLE_PING: "True",
				KOLIBRI_ZEROCONF_ENABLED: "False",
				KOLIBRI_LISTEN_ADDRESS: "127.0.0.1",
				KOLIBRI_ZIP_CONTENT_PORT: String(this.zipPort),
				...this.env,
				...(process.env.KOLIBRI_BUILD_DIR ? { KOLIBRI_BUILD_DIR: process.env.KOLIBRI_BUILD_DIR } : {}),
			},
			stdio: "ignore",
			detached: true,
		});
		let ended = false;
		this.process.on("exit", () => {
			ended = true;
		});
		while (!(await this.answers())) {
			if (ended) throw new Error(`${this.command} did not start`);
			await wait(2);
		}
		return performance.now() - begin;
	}

	/** @returns {Promise<boolean>} */
	answers() {
		return new Promise((resolve) => {
			http
				.get(`${this.url}api/public/info/`, (res) => {
					res.resume();
					resolve(res.statusCode === 200);
				})
				.on("error", () => resolve(false));
		});
	}

	async stop() {
		const child = this.process;
		if (!child) return;
		const ended = new Promise((go) => child.once("exit", go));
		child.kill("SIGTERM");
		await Promise.race([ended, wait(20_000)]);
		try {
			process.kill(-(/** @type {number} */ (child.pid)), "SIGKILL");
		} catch {
			// it is gone
		}
		this.process = undefined;
	}

	async remove() {
		await this.stop();
		fs.rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
	}

	/** The app's root. */
	get url() {
		return `http://127.0.0.1:${this.port}/`;
	}
}

/** @param {Record<string, string>} fields @param {{field: string, name: string, text: string}} file */
function formOf(fields, file) {
	const form = new FormData();
	for (const [name, value] of Object.entries(fields)) form.append(name, value);
	form.append(file.field, new Blob([file.text], { type: "text/csv" }), file.name);
	return form;
}

/** A client with cookies and one connection, without a browser's cost. */
export class Client {
	/** @param {string} url */
	constructor(url) {
		this.url = url;
		this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
		/** @type {Map<string, string>} */
		this.cookies = new Map();
	}

	/**
	 * @param {string} method @param {string} at @param {unknown} [body]
	 * @returns {Promise<{status: number, text: string, ms: number}>}
	 */
	send(method, at, body) {
		const text = body === undefined ? undefined : JSON.stringify(body);
		return this.request(method, at, text, "application/json");
	}

	/**
	 * Sends a form with a file.
	 * @param {string} at @param {Record<string, string>} fields @param {{field: string, name: string, text: string}} file
	 */
	async upload(at, fields, file) {
		const form = formOf(fields, file);
		const { body, headers } = new Request("http://localhost/", { method: "POST", body: form });
		const bytes = Buffer.from(await new Response(body).arrayBuffer());
		return this.request("POST", at, bytes, headers.get("Content-Type") ?? "");
	}

	/**
	 * @param {string} method @param {string} at @param {string | Buffer | undefined} text @param {string} type
	 * @returns {Promise<{status: number, text: string, ms: number}>}
	 */
	request(method, at, text, type) {
		const headers = {
			Cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
			"X-CSRFToken": this.cookies.get("kolibri_csrftoken") ?? "",
			...(text === undefined ? {} : { "Content-Type": type, "Content-Length": Buffer.byteLength(text) }),
		};
		const begin = performance.now();
		return new Promise((resolve, reject) => {
			const req = http.request(this.url + at, { method, headers, agent: this.agent }, (res) => {
				for (const line of res.headers["set-cookie"] ?? []) {
					const [name, value] = line.split(";")[0].split("=");
					this.cookies.set(name, value);
				}
				let answer = "";
				res.setEncoding("utf8");
				res.on("data", (piece) => {
					answer += piece;
				});
				res.on("end", () =>
					resolve({ status: res.statusCode ?? 0, text: answer, ms: performance.now() - begin }),
				);
			});
			req.on("error", reject);
			req.end(text);
		});
	}
}
