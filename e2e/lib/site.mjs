// A static host for the build: `python3 -m http.server`, which is all the build may ask of one.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

export const BUILD = path.resolve(process.env.BUILD ?? "build");

/**
 * @returns {Promise<number>} a port for a server to be started, below those that systems give to outgoing
 * connections, one of which could take it in the meantime
 */
export function freePort() {
	const port = 10_100 + Math.floor(Math.random() * 20_000);
	return new Promise((resolve) => {
		const server = net.createServer().on("error", () => resolve(freePort()));
		server.listen(port, "127.0.0.1", () => server.close(() => resolve(port)));
	});
}

const answers = (/** @type {number} */ port) =>
	new Promise((resolve) => {
		const socket = net.connect(port, "127.0.0.1", () => resolve(true));
		socket.on("error", () => resolve(false)).unref();
		socket.on("connect", () => socket.destroy());
	});

/**
 * Lays a build out: what tests change is copied, the many other files are linked.
 * @param {string} build @param {string} folder
 */
function lay(build, folder) {
	fs.mkdirSync(folder, { recursive: true });
	for (const name of fs.readdirSync(build)) {
		const from = path.join(build, name);
		const to = path.join(folder, name);
		if (name === "static" || name === "data" || name === "icons") fs.symlinkSync(fs.realpathSync(from), to);
		else fs.cpSync(from, to, { recursive: true });
	}
}

export class Site {
	/**
	 * @param {object} [options]
	 * @param {string} [options.under] folder of the host that the app lies in, such as "some/path/"
	 * @param {boolean} [options.appsOrigin] whether another port is there for apps
	 */
	constructor({ under = "", appsOrigin = false } = {}) {
		this.folder = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-site-"));
		this.app = path.join(this.folder, under);
		this.under = under;
		this.appsOrigin = appsOrigin;
		/** @type {import("node:child_process").ChildProcess[]} */
		this.servers = [];
		/** @type {number | undefined} */
		this.appsPort = undefined;
		fs.mkdirSync(path.dirname(this.app), { recursive: true });
		this.deploy(BUILD);
		/** @type {number | undefined} the first start's, for all */
		this.port = undefined;
	}

	/** Puts a build in place of the one before. @param {string} build */
	deploy(build) {
		fs.rmSync(this.app, { recursive: true, force: true });
		lay(build, this.app);
	}

	async start() {
		this.port ??= await freePort();
		await this.serve(this.port);
		if (this.appsOrigin) {
			this.appsPort ??= await this.configure();
			await this.serve(this.appsPort);
		}
		return this;
	}

	/** @param {number} port */
	async serve(port) {
		const args = ["-m", "http.server", String(port), "--bind", "127.0.0.1", "--directory", this.folder];
		this.servers.push(spawn("python3", args, { stdio: "ignore" }));
		while (!(await answers(port))) await new Promise((go) => setTimeout(go, 30));
	}

	/** What `make APPS_ORIGIN=:PORT` writes into the scripts. */
	async configure() {
		const port = await freePort();
		for (const at of [
			"sw.js",
			"content/sw.js",
			...fs.readdirSync(path.join(this.app, "app")).map((n) => `app/${n}`),
		]) {
			if (!at.endsWith(".js")) continue;
			const script = path.join(this.app, at);
			const text = fs.readFileSync(script, "utf8");
			fs.writeFileSync(script, text.replaceAll('appsOrigin:""', `appsOrigin:":${port}"`));
		}
		return port;
	}

	async stop() {
		for (const server of this.servers.splice(0)) {
			const ended = new Promise((go) => server.once("exit", go));
			server.kill("SIGKILL");
			await ended;
		}
	}

	async remove() {
		await this.stop();
		fs.rmSync(this.folder, { recursive: true, force: true });
	}

	/** What serves the app. */
	get process() {
		return this.servers[0];
	}

	/** The app's root. */
	get url() {
		return `http://127.0.0.1:${this.port}/${this.under}`;
	}

	/** Puts code before the worker's own: a browser that is not as ours is. @param {string} code */
	beforeWorker(code) {
		this.before(`app/worker-${buildId(this.app)}.js`, code);
	}

	/** Puts code before a script's own. @param {string} at its path @param {string} code */
	before(at, code) {
		const script = path.join(this.app, at);
		fs.writeFileSync(script, `${code}\n${fs.readFileSync(script, "utf8")}`);
	}

	/** The path of the server program; releases before may have left theirs. */
	get module() {
		const script = fs.readFileSync(path.join(this.app, "sw.js"), "utf8");
		return path.join(this.app, found(/app\/server-\w+\.wasm/, script)[0]);
	}
}

/**
 * The same build as an older release would have been: other ids, and so other names.
 * @param {string} id
 * @returns {string} a folder
 */
export function anotherRelease(id) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kolibri-release-"));
	lay(BUILD, folder);
	const old = buildId(folder);
	const rename = (/** @type {string} */ text) => text.replaceAll(old, id);
	for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
		const name = path.join(entry.parentPath, entry.name);
		if (!entry.isFile()) continue;
		if (/\.(br|gz)$/.test(name)) fs.rmSync(name);
		else if (/\.(html|js)$/.test(name)) {
			const text = rename(fs.readFileSync(name, "utf8"));
			fs.rmSync(name);
			fs.writeFileSync(rename(name), text);
		} else if (rename(name) !== name) fs.renameSync(name, rename(name));
	}
	return folder;
}

/** @param {string} folder */
export function buildId(folder) {
	return found(/app\/shell-(\w+)\.js/, fs.readFileSync(path.join(folder, "index.html"), "utf8"))[1];
}

/** @param {RegExp} what @param {string} text */
function found(what, text) {
	const match = what.exec(text);
	if (!match) throw new Error(`there is no ${what}`);
	return match;
}
